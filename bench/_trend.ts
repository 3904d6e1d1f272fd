/** How something grows, when each sample by itself goes up and down. */
export interface Trend {
  add(sample: number): void
  result(): { readonly perHour: number; readonly from: number; readonly to: number }
}

/** @param now Milliseconds. */
export function createTrend(now: () => number = () => performance.now()): Trend {
  const samples: { readonly at: number; readonly value: number }[] = []
  return {
    add: (value) => void samples.push({ at: now() / 3_600_000, value }),
    /** The lowest of each twentieth is what collections have left; between those, the median of all slopes (Theil and Sen). */
    result() {
      const size = Math.max(1, Math.floor(samples.length / 20))
      const lows = Array.from({ length: Math.ceil(samples.length / size) }, (_, index) =>
        samples
          .slice(index * size, (index + 1) * size)
          .reduce((low, sample) => (sample.value < low.value ? sample : low)),
      )
      const slopes = lows
        .flatMap((later, index) =>
          lows.slice(0, index).map((earlier) => (later.value - earlier.value) / (later.at - earlier.at)),
        )
        .sort((left, right) => left - right)
      return {
        perHour: slopes[Math.floor(slopes.length / 2)] ?? 0,
        from: lows[0]?.value ?? 0,
        to: lows.at(-1)?.value ?? 0,
      }
    },
  }
}
