export interface Clock {
  now(): number
  /** @param seconds to let pass, at once */
  advance(seconds: number): void
}

/** A clock that runs and can be put forward: what is due in an hour is due now. */
export function aClock(): Clock {
  let offset = 0
  return {
    now: () => Date.now() / 1000 + offset,
    advance(seconds) {
      offset += seconds
    },
  }
}

/** A clock that stands until it is put forward: for tests that read seconds off it. */
export function aStandingClock(): Clock {
  let time = Date.now() / 1000
  return {
    now: () => time,
    advance(seconds) {
      time += seconds
    },
  }
}
