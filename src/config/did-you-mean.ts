/** The candidate that was probably meant: the same but for case and punctuation, or a third of its letters at most away. */
export function didYouMean(given: string, candidates: readonly string[]): string | undefined {
  const bare = plain(given)
  const [nearest] = candidates
    .map((candidate) => ({ candidate, distance: editDistance(bare, plain(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((left, right) => left.distance - right.distance)
  return nearest?.candidate
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .slice(0, 64)
}

/** Levenshtein: letters put in, taken out or exchanged. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...left].entries()) {
    const current = [row + 1]
    for (let column = 0; column < right.length; column++) {
      const exchanged = (previous[column] ?? 0) + (letter === right[column] ? 0 : 1)
      current.push(Math.min(exchanged, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous[right.length] ?? 0
}
