import type { CircuitBreakerOptions } from '../options.js'

/** Whether one upstream is worth a request: closed, open, or half open for a single trial. */
export interface CircuitBreaker {
  /** Asked for a request that is sent then: when the breaker is half open, the answer is yes once. */
  admits(): boolean
  succeeded(): void
  failed(): void
}

export function createCircuitBreaker(
  { failures = 5, openFor = 1 }: CircuitBreakerOptions = {},
  now: () => number = () => performance.now() / 1000,
): CircuitBreaker {
  let inARow = 0
  let pause = openFor
  let openUntil: number | undefined

  return {
    admits() {
      if (openUntil === undefined) return true
      if (now() < openUntil) return false
      // The trial has this long to succeed; until then nobody else is let through.
      openUntil = now() + pause
      return true
    },
    succeeded() {
      inARow = 0
      pause = openFor
      openUntil = undefined
    },
    failed() {
      inARow++
      if (inARow < failures) return
      if (openUntil !== undefined) pause = Math.min(pause * 2, 30)
      openUntil = now() + pause
    },
  }
}
