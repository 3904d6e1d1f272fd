import type { Quota } from '../../store/store.js'

export interface RateLimitState {
  readonly name: string
  readonly quota: Quota
  readonly left: number
  /** Seconds. */
  readonly reset: number
}

/**
 * The values of `RateLimit-Policy` and `RateLimit`, which are lists of structured fields (RFC 9651): of each policy its quota
 * and window, and what is left until some of it comes back.
 * @see {@link https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ RateLimit header fields for HTTP}
 */
export function rateLimitFields(states: readonly RateLimitState[]): {
  readonly policy: string
  readonly limit: string
} {
  const names = states.map(({ name }) => JSON.stringify(name))
  return {
    policy: states.map(({ quota: { limit, window } }, index) => `${names[index]};q=${limit};w=${window}`).join(', '),
    limit: states.map(({ left, reset }, index) => `${names[index]};r=${left};t=${Math.ceil(reset)}`).join(', '),
  }
}
