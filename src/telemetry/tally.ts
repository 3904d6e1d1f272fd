type Labels = Readonly<Record<string, string>>

/** What a histogram counts, in place: to make a text of the labels for each value costs more than everything else about it. */
export interface Tally<Label extends string> {
  /** Counts values with these labels. To be kept by those who count often. */
  of(labels: Readonly<Record<Label, string>>): (value: number) => void
  /** All that was counted, as Prometheus has a histogram: buckets that hold the ones below them, the sum, the count. */
  values(): TallyValue[]
}

/** A line of the metrics. */
export interface TallyValue {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

interface Counted {
  readonly labels: Labels
  /** A value's is the first whose bound it does not exceed; the last has no bound. */
  readonly buckets: Float64Array
  /** One number in an array of its own: a number in an object is a new one on the heap with every value. */
  readonly sum: Float64Array
  readonly count: (value: number) => void
}

/** @param bounds in ascending order */
export function createTally<Label extends string>(
  name: string,
  labelNames: readonly Label[],
  bounds: readonly number[],
): Tally<Label> {
  const all = new Map<string, Counted>()

  const of = (labels: Readonly<Record<Label, string>>): Counted['count'] => {
    const key = JSON.stringify(labelNames.map((label) => labels[label]))
    const known = all.get(key) ?? counted(labels, bounds)
    all.set(key, known)
    return known.count
  }
  // What has no labels is there from the beginning.
  if (labelNames.length === 0) of({} as Readonly<Record<Label, string>>)

  return { of, values: () => [...all.values()].flatMap((one) => linesOf(name, bounds, one)) }
}

function counted(labels: Labels, bounds: readonly number[]): Counted {
  const buckets = new Float64Array(bounds.length + 1)
  const sum = new Float64Array(1)
  const upper = Float64Array.from(bounds)
  const count = (value: number): void => {
    // A wrong clock can measure NaN. Added to the sum, it would stay there.
    if (!Number.isFinite(value)) return
    let bucket = 0
    while (bucket < upper.length && value > (upper[bucket] ?? 0)) bucket++
    buckets[bucket] = (buckets[bucket] ?? 0) + 1
    sum[0] = (sum[0] ?? 0) + value
  }
  return { labels, buckets, sum, count }
}

function linesOf(name: string, bounds: readonly number[], { labels, buckets, sum }: Counted): TallyValue[] {
  // Made in advance, and never needed: it is no series yet.
  if (Object.keys(labels).length > 0 && buckets.every((inside) => inside === 0)) return []
  const lines: TallyValue[] = []
  let below = 0
  for (const [bucket, inside] of buckets.entries()) {
    below += inside
    lines.push({ metricName: `${name}_bucket`, labels: { le: bounds[bucket] ?? '+Inf', ...labels }, value: below })
  }
  lines.push({ metricName: `${name}_sum`, labels, value: sum[0] ?? 0 })
  lines.push({ metricName: `${name}_count`, labels, value: below })
  return lines
}
