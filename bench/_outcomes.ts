/** What has become of the requests of one phase: `GET 200`, `POST 503 bff.store.unavailable`, `GET ECONNRESET`. */
export interface Outcomes {
  add(outcome: string): void
  /** Sessions that we did not end and that are none any more. */
  loggedOut(): void
  readonly counts: ReadonlyMap<string, number>
  readonly logouts: number
  /** Seconds since the first outcome at which the last one came that was not right. */
  readonly lastWrong: number
}

export function createOutcomes(): Outcomes {
  const counts = new Map<string, number>()
  const started = performance.now()
  let [logouts, lastWrong] = [0, 0]
  return {
    add(outcome) {
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
      if (!isRight(outcome)) lastWrong = (performance.now() - started) / 1000
    },
    loggedOut: () => void logouts++,
    counts,
    get logouts() {
      return logouts
    },
    get lastWrong() {
      return lastWrong
    },
  }
}

/** What a request is answered with when nothing is wrong. */
export function isRight(outcome: string): boolean {
  return /^\S+ (?:2\d\d|30\d|aborted|done)\b/.test(outcome)
}
