import { LRUCache } from 'lru-cache'

/** A bounded cache of what can be made again: the least recently used entry goes first. */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined
  /** `ttlMs` overrides the cache's own; absent or 0 there: no limit in time. */
  set(key: string, value: Value, ttlMs?: number): void
  delete(key: string): void
  clear(): void
}

/** Milliseconds that one look at the clock is good for: lru-cache sets a timer with each, and by default looks anew after one. */
const ttlResolution = 100

export function createBoundedCache<Value extends NonNullable<unknown>>(max: number, ttlMs = 0): BoundedCache<Value> {
  return boundedCache(new LRUCache({ max, ttl: ttlMs, ttlResolution }))
}

export interface AgingCacheOptions<Value> {
  readonly max: number
  /** Of all entries together. */
  readonly maxBytes: number
  /** Of one entry, whole. */
  readonly bytesOf: (value: Value) => number
  readonly ttlMs: number
}

/** The same for what is large: bounded in bytes as well, and what is too old goes by itself soon, not when its place is needed. */
export function createAgingCache<Value extends NonNullable<unknown>>({
  max,
  maxBytes,
  bytesOf,
  ttlMs,
}: AgingCacheOptions<Value>): BoundedCache<Value> {
  const entries = new LRUCache<string, Value>({
    max,
    maxSize: maxBytes,
    sizeCalculation: bytesOf,
    ttl: ttlMs,
    ttlResolution,
  })
  const { set, ...others } = boundedCache(entries)
  let timer: NodeJS.Timeout | undefined
  const purge = (): void => {
    entries.purgeStale()
    if (entries.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
  return {
    ...others,
    set(key, value, ownTtlMs) {
      timer ??= setInterval(purge, ttlMs / 5).unref()
      set(key, value, ownTtlMs)
    },
  }
}

function boundedCache<Value extends NonNullable<unknown>>(entries: LRUCache<string, Value>): BoundedCache<Value> {
  return {
    get: (key) => entries.get(key),
    set(key, value, ownTtlMs) {
      if (ownTtlMs === undefined) entries.set(key, value)
      else entries.set(key, value, { ttl: ownTtlMs })
    },
    delete: (key) => void entries.delete(key),
    clear: () => entries.clear(),
  }
}
