/** How long an upstream lately took until its answers began: counted in numbers that are there already, nothing is kept of a call. */
export interface AnswerTimes {
  /** @param took milliseconds @param at by `performance.now()` */
  add(took: number, at: number): void
  /** Undefined: there was none. @param at by `performance.now()` */
  recent(at: number): RecentAnswers | undefined
}

/** Answers of the last five minutes, in this process. */
export interface RecentAnswers {
  /** How many there were; those that were waited for in vain until a timeout are among them. */
  readonly calls: number
  /** Seconds until they began, on average. */
  readonly mean: number
  /** Seconds within which 95 of 100 began; up to a fifth more than it was. */
  readonly p95: number
}

interface Minute {
  number: number
  calls: number
  sum: number
  longest: number
  readonly buckets: Uint32Array
}

const minutes = 5
/** Each of them is 2^¼ as wide as the one before; the first ends at a quarter of a millisecond, the last at three and a half minutes. */
const buckets = 80
const perOctave = 4
const first = -8

export function createAnswerTimes(): AnswerTimes {
  const ring: Minute[] = []
  return {
    add(took, at) {
      const number = Math.floor(at / 60_000)
      const place = number % minutes
      const minute = ring[place] ?? aMinute()
      if (minute.number !== number) begin(minute, number)
      ring[place] = minute
      minute.calls++
      minute.sum += took
      if (took > minute.longest) minute.longest = took
      const bucket = bucketOf(took)
      minute.buckets[bucket] = (minute.buckets[bucket] ?? 0) + 1
    },

    recent(at) {
      const oldest = Math.floor(at / 60_000) - minutes
      const counted = Object.values(ring).filter(({ number }) => number > oldest)
      const calls = counted.reduce((all, minute) => all + minute.calls, 0)
      if (calls === 0) return undefined
      const sum = counted.reduce((all, minute) => all + minute.sum, 0)
      const longest = Math.max(...counted.map((minute) => minute.longest))
      let bucket = 0
      for (let seen = 0; bucket < buckets; bucket++) {
        for (const minute of counted) seen += minute.buckets[bucket] ?? 0
        if (seen >= calls * 0.95) break
      }
      return {
        calls,
        mean: inSeconds(sum / calls),
        p95: inSeconds(Math.min(longest, 2 ** ((bucket + first) / perOctave))),
      }
    },
  }
}

function aMinute(): Minute {
  return { number: -1, calls: 0, sum: 0, longest: 0, buckets: new Uint32Array(buckets) }
}

function begin(minute: Minute, number: number): void {
  minute.number = number
  minute.calls = 0
  minute.sum = 0
  minute.longest = 0
  minute.buckets.fill(0)
}

function bucketOf(milliseconds: number): number {
  const bucket = Math.ceil(Math.log2(milliseconds) * perOctave) - first
  return bucket > 0 ? Math.min(bucket, buckets - 1) : 0
}

/** To a tenth of a millisecond. */
function inSeconds(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10_000
}
