/**
 * What one program takes, divided by what another takes, when two processes of one program differ for as long as they live. Each pair of
 * processes counts once, by the geometric mean of its rounds: rounds of one pair are alike, and more of them make the error no smaller.
 * @param pairs ratios of the rounds, for each pair
 * @returns such as `1.137 ± 0.013`, with one standard error; without it for one pair
 */
export function meanRatio(pairs: readonly (readonly number[])[]): string {
  const logs = pairs.map((rounds) => mean(rounds.map(Math.log)))
  const center = mean(logs)
  const ratio = Math.exp(center)
  if (logs.length < 2) return ratio.toFixed(3)
  const variance = logs.reduce((sum, log) => sum + (log - center) ** 2, 0) / (logs.length - 1)
  return `${ratio.toFixed(3)} ± ${(ratio * Math.sqrt(variance / logs.length)).toFixed(3)}`
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
