import { LRUCache } from 'lru-cache'
import { UpstreamError } from '../errors.js'
import type { Store } from './store.js'

export interface MemoryStoreOptions {
  /** Records held at most. Beyond it new ones are refused: what is alive is never evicted. Default: 1,000,000. */
  readonly maxRecords?: number
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

type Entry = { readonly value: string } | { readonly members: Set<string> }

/** The store of one process. Its records go with the process. */
export function createMemoryStore({
  maxRecords = 1_000_000,
  now = () => Date.now() / 1000,
}: MemoryStoreOptions = {}): Store {
  const entries = new LRUCache<string, Entry>({
    // Not `max`: that would allocate room for all of them at once.
    maxSize: maxRecords,
    sizeCalculation: () => 1,
    ttl: 1,
    ttlResolution: 0,
    perf: { now: () => now() * 1000 },
  })

  const write = (key: string, entry: Entry, expiresAt: number): void => {
    const ttl = Math.ceil((expiresAt - now()) * 1000)
    if (ttl <= 0) {
      entries.delete(key)
      return
    }
    if (entries.size >= maxRecords && !entries.has(key)) {
      entries.purgeStale()
      if (entries.size >= maxRecords) throw new UpstreamError('store_unavailable', 'the in-process store is full')
    }
    entries.set(key, entry, { ttl })
  }
  const value = (key: string): string | undefined => {
    const entry = entries.get(key)
    return entry && 'value' in entry ? entry.value : undefined
  }
  const members = (key: string): Set<string> => {
    const entry = entries.get(key)
    return entry && 'members' in entry ? entry.members : new Set()
  }

  return {
    get: async (key) => value(key),
    set: async (key, text, expiresAt) => write(key, { value: text }, expiresAt),
    async addIfAbsent(key, text, expiresAt) {
      if (entries.has(key)) return false
      write(key, { value: text }, expiresAt)
      return true
    },
    async replace(key, expected, text, expiresAt) {
      if (value(key) !== expected) return false
      write(key, { value: text }, expiresAt)
      return true
    },
    async extend(key, expiresAt) {
      const entry = entries.get(key)
      if (entry === undefined) return false
      write(key, entry, expiresAt)
      return true
    },
    async take(key) {
      const text = value(key)
      entries.delete(key)
      return text
    },
    async delete(key) {
      const wasThere = entries.has(key)
      entries.delete(key)
      return wasThere
    },
    async deleteIf(key, expected) {
      return value(key) === expected && entries.delete(key)
    },
    async addMember(key, member, expiresAt) {
      const all = members(key).add(member)
      const known = now() + entries.getRemainingTTL(key) / 1000
      write(key, { members: all }, entries.has(key) ? Math.max(known, expiresAt) : expiresAt)
    },
    async removeMember(key, member) {
      members(key).delete(member)
    },
    members: async (key) => [...members(key)],
    async close() {
      entries.clear()
    },
  }
}
