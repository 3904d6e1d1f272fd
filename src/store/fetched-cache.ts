import { LRUCache } from 'lru-cache'

/** What was fetched, by key, for as long as it is good: fetched once for all who ask at the same time. */
export interface FetchedCache<Value, About> {
  /**
   * @param about What the fetching has to know besides the key.
   * @throws What the fetching threw. The next one to ask has it fetched again.
   */
  fetch(key: string, about: About): Promise<Value>
  /** What was fetched last, whatever its age. */
  last(key: string): Value | undefined
  /** The next one to ask has it fetched anew. */
  delete(key: string): void
}

export interface FetchedCacheOptions<Value, About> {
  /** Keys that are held at most. */
  readonly max: number
  readonly fetch: (about: About) => Promise<Value>
  /** Seconds for which it is good. May be `Infinity`. */
  readonly lifetime: (value: Value) => number
  /** Seconds since the epoch. */
  readonly now: () => number
}

export function createFetchedCache<Value extends object, About = undefined>({
  max,
  fetch,
  lifetime,
  now,
}: FetchedCacheOptions<Value, About>): FetchedCache<Value, About> {
  const cache = new LRUCache<string, Value, { readonly about: About }>({
    max,
    ttl: 1,
    ttlResolution: 0,
    perf: { now: () => now() * 1000 },
    // Its `allowStaleOnFetchRejection` would swallow the error where there is no old value.
    noDeleteOnFetchRejection: true,
    async fetchMethod(_key, _stale, { context, options }) {
      const value = await fetch(context.about)
      const seconds = lifetime(value)
      // 0 means that it never ends.
      options.ttl = seconds === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.floor(seconds * 1000))
      return value
    },
  })
  return {
    fetch: (key, about) => cache.forceFetch(key, { context: { about } }),
    last: (key) => cache.get(key, { allowStale: true, noDeleteOnStaleGet: true }),
    delete: (key) => void cache.delete(key),
  }
}
