import { createBoundedCache } from '../../store/bounded-cache.js'
import type { VerifiedToken } from './access-token.js'

/** Tokens that were verified a moment ago, by their hash: the next request with one costs no signature check for it. */
export interface TokenCache {
  /** @param now Seconds since the epoch. */
  recall(ath: string, now: number): VerifiedToken | undefined
  remember(ath: string, token: VerifiedToken): void
}

export function createTokenCache(max: number): TokenCache {
  const tokens = createBoundedCache<VerifiedToken>(max)
  return {
    recall(ath, now) {
      const token = tokens.get(ath)
      if (token === undefined) return undefined
      if (now < token.reusableUntil && token.signer?.vouches() !== false) return token
      tokens.delete(ath)
      return undefined
    },
    remember: (ath, token) => tokens.set(ath, token),
  }
}
