/** Counts per key within a window of time that begins with the key's first count. */
export interface WindowedCounts {
  /** Seconds until the key is below `limit` again; 0 when it is. */
  wait(key: string, limit: number): number
  add(key: string): void
  /** Takes one back. */
  remove(key: string): void
}

export interface WindowedCountsOptions {
  /** Seconds. */
  readonly window: number
  /** Keys that are held at most. Beyond, the window that began first is given up: callers choose keys. Default: 100,000. */
  readonly maxKeys?: number
  /** Seconds on a monotonic clock. Tests pass their own. */
  readonly now?: () => number
}

/** In this process: each replica counts for itself. */
export function createWindowedCounts({
  window,
  maxKeys = 100_000,
  now = () => performance.now() / 1000,
}: WindowedCountsOptions): WindowedCounts {
  // All windows are equally long, so the order in which keys were added is the order in which they end.
  const windows = new Map<string, { count: number; readonly endsAt: number }>()

  const current = (key: string) => {
    const found = windows.get(key)
    return found !== undefined && found.endsAt > now() ? found : undefined
  }
  /** Two for each that comes, so that what has ended is gone without one long look at all of it. */
  const makeRoom = (): void => {
    let looked = 0
    for (const [key, { endsAt }] of windows) {
      if (++looked > 2 || (endsAt > now() && windows.size < maxKeys)) return
      windows.delete(key)
    }
  }

  return {
    wait(key, limit) {
      const found = current(key)
      return found === undefined || found.count < limit ? 0 : Math.max(1, Math.ceil(found.endsAt - now()))
    },
    add(key) {
      const found = current(key)
      if (found !== undefined) {
        found.count += 1
        return
      }
      windows.delete(key)
      makeRoom()
      windows.set(key, { count: 1, endsAt: now() + window })
    },
    remove(key) {
      const found = current(key)
      if (found === undefined) return
      found.count -= 1
      if (found.count <= 0) windows.delete(key)
    },
  }
}
