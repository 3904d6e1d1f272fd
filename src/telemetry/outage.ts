/** Tells of something we depend on when it fails, while it goes on failing, and when it works again. */
export interface Outage {
  /** @param cause a code such as `ECONNREFUSED` or `status 503` */
  failed(cause: string): void
  worked(): void
}

export interface OutageOptions {
  /** @param count failures since this was last told */
  readonly onFailing: (cause: string, count: number) => void
  /**
   * @param seconds since the first failure
   * @param count failures since this was last told
   */
  readonly onBack: (seconds: number, count: number) => void
  /** Seconds between two lines of a kind, however often it comes and goes. Default: 60. */
  readonly interval?: number
  /** Seconds on a monotonic clock. Tests pass their own. */
  readonly elapsed?: () => number
}

export function createOutage({
  onFailing,
  onBack,
  interval = 60,
  elapsed = () => performance.now() / 1000,
}: OutageOptions): Outage {
  let failingSince: number | undefined
  let count = 0
  let [toldFailing, toldBack] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]

  return {
    failed(cause) {
      const now = elapsed()
      failingSince ??= now
      count += 1
      if (now < toldFailing + interval) return
      toldFailing = now
      onFailing(cause, count)
      count = 0
    },

    worked() {
      if (failingSince === undefined) return
      const now = elapsed()
      // One that comes and goes is still the outage that was told; the next line of failures says how many there were.
      if (now < toldBack + interval) return
      toldBack = now
      onBack(Math.round(now - failingSince), count)
      failingSince = undefined
      // What begins after it has been said to work is news.
      toldFailing = Number.NEGATIVE_INFINITY
      count = 0
    },
  }
}
