import { LRUCache } from 'lru-cache'

/** A bounded cache of what can be made again: the least recently used entry goes first. */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined
  /** `ttlMs` overrides the cache's own; absent or 0 there: no limit in time. */
  set(key: string, value: Value, ttlMs?: number): void
  delete(key: string): void
  clear(): void
}

export function createBoundedCache<Value extends NonNullable<unknown>>(max: number, ttlMs = 0): BoundedCache<Value> {
  const entries = new LRUCache<string, Value>({ max, ttl: ttlMs })
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
