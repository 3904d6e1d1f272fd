import { UpstreamError } from '../errors.js'
import { createSlidingCounts } from './sliding-counts.js'
import type { Store } from './store.js'

/** Seconds for which a store that has not answered is not asked: a hanging one would hold every call for its timeout. */
const pause = 2

/**
 * Counts in the store, for all processes together. While it does not answer this process counts by itself: neither is
 * everything let through, nor is everything refused.
 * @param now Seconds since the epoch.
 */
export function createResilientCounts({ count }: Pick<Store, 'count'>, now: () => number): Store['count'] {
  const own = createSlidingCounts({ now })
  let askAgainAt = 0
  return async (key, cost, quota) => {
    if (now() < askAgainAt) return own.count(key, cost, quota)
    try {
      return await count(key, cost, quota)
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error
      askAgainAt = now() + pause
      return own.count(key, cost, quota)
    }
  }
}
