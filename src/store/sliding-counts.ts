import type { Count, Quota } from './store.js'

/** How finely a window slides: what was counted is forgotten at most a twentieth of the window late, and never early. */
export const slicesOfWindow = 20

export interface SlidingCounts {
  /** @see Store.count */
  count(key: string, cost: number, quota: Quota): Count
}

export interface SlidingCountsOptions {
  /**
   * Keys of one purpose, which is what comes before the first colon, that are held at most. Beyond, the one that was counted
   * longest ago is given up: callers choose keys. What calls fill does not push out what guards passwords. Default: 100,000.
   */
  readonly maxKeys?: number
  /** Seconds. */
  readonly now: () => number
}

interface Slices {
  readonly counts: Map<number, number>
  /** Seconds: nothing is left of it then. */
  endsAt: number
}

/** The counts of this process: of the memory store, and of a process that cannot reach its store. */
export function createSlidingCounts({ maxKeys = 100_000, now }: SlidingCountsOptions): SlidingCounts {
  const purposes = new Map<string, Map<string, Slices>>()

  /** Two for each that comes, so that what has ended is gone without one long look at all of it. */
  const makeRoom = (keys: Map<string, Slices>): void => {
    let looked = 0
    for (const [key, { endsAt }] of keys) {
      if (++looked > 2 || (endsAt > now() && keys.size < maxKeys)) return
      keys.delete(key)
    }
  }

  return {
    count(key, cost, quota) {
      const [purpose = ''] = key.split(':', 1)
      const keys = purposes.get(purpose) ?? new Map<string, Slices>()
      purposes.set(purpose, keys)
      const counts = keys.get(key)?.counts ?? new Map<number, number>()
      const count = countIn(counts, cost, quota, now())
      keys.delete(key)
      if (counts.size > 0) {
        makeRoom(keys)
        keys.set(key, { counts, endsAt: endOfCounts(counts, quota) })
      }
      return count
    },
  }
}

/**
 * Counts within a window that was cut into slices.
 * @param counts by number of the slice; changed by what is counted, and by what is forgotten
 * @param now Seconds since the epoch.
 */
export function countIn(counts: Map<number, number>, cost: number, { limit, window }: Quota, now: number): Count {
  const slice = window / slicesOfWindow
  const current = Math.floor(now / slice)
  for (const at of counts.keys()) if (at < current - slicesOfWindow) counts.delete(at)
  const used = sum(counts.values())
  const counted = cost <= 0 || used + cost <= limit
  // Given back where it was counted last: the slice may be another one by now.
  const at = cost < 0 ? Math.max(...counts.keys()) : current
  if (counted && cost !== 0 && (cost > 0 || used > 0)) {
    const left = (counts.get(at) ?? 0) + cost
    if (left > 0) counts.set(at, left)
    else counts.delete(at)
  }
  const oldest = Math.min(...counts.keys())
  return {
    counted,
    left: Math.max(0, limit - sum(counts.values())),
    reset: counts.size === 0 ? 0 : (oldest + slicesOfWindow + 1) * slice - now,
  }
}

/** Seconds since the epoch when nothing is left of it. */
export function endOfCounts(counts: ReadonlyMap<number, number>, { window }: Quota): number {
  const newest = Math.max(...counts.keys())
  return counts.size === 0 ? 0 : (newest + slicesOfWindow + 1) * (window / slicesOfWindow)
}

function sum(counts: Iterable<number>): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
