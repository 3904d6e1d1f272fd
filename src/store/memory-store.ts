import { getHeapStatistics } from 'node:v8'
import { UpstreamError } from '../errors.js'
import { createLocalSignals } from './local-signals.js'
import { pack, packedBytes, unpack } from './packed-text.js'
import { createSlidingCounts } from './sliding-counts.js'
import type { Expiry, Store, StoreUsage } from './store.js'

/** How much a memory store may hold. */
export interface MemoryStoreOptions {
  /**
   * Bytes held at most, as `usage` counts them. Beyond, new records are refused: what is alive is never evicted. Default:
   * half of what the process's heap may grow to, less 64 MiB for everything else.
   */
  readonly maxBytes?: number
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** A store that can say how full it is. */
export interface MemoryStore extends Store {
  /** At this moment. */
  usage(): StoreUsage
}

interface Entry {
  /** A packed text, or the members of a set with their ends. */
  readonly value: string | Buffer | Map<string, number>
  bytes: number
  expiresAt: number
}

/** What a record takes beside its texts: an entry of the map, an object, headers of strings. Measured with Node 20. */
const recordBytes = 160
const memberBytes = 100
const mebibyte = 1024 * 1024

/** The last twentieth is for locks and marks of use alone: without them the sessions that are there could not go on. */
const smallBytes = 512

/** Milliseconds between two rounds of looking for what has expired: at a tenth of the records, but at this many at least. */
const roundMs = 1000
const fewest = 5000
/** Records looked at without a pause: about a tenth of a millisecond. */
const slice = 1000

/**
 * The store of one process. Its records go with the process. Expired ones are freed bit by bit, so that memory follows
 * what is alive and no one waits for a great cleaning. A map, and no cache of `lru-cache`: that one's arrays never shrink,
 * and an order of last use is of no use where nothing may be evicted.
 * @throws UpstreamError `store_unavailable` (each write) when it is full
 * @example
 * ```ts
 * import { createMemoryStore } from 'sallyport'
 *
 * const store = createMemoryStore()
 * await store.set('key', 'value', Date.now() / 1000 + 60)
 * console.assert((await store.take('key')) === 'value' && (await store.take('key')) === undefined)
 * ```
 */
export function createMemoryStore({
  maxBytes = defaultMaxBytes(getHeapStatistics().heap_size_limit),
  now = () => Date.now() / 1000,
}: MemoryStoreOptions = {}): MemoryStore {
  const entries = new Map<string, Entry>()
  // Not among the records: who can make counts must not be able to fill the store.
  const { count } = createSlidingCounts({ now })
  let bytes = 0
  let refused = 0
  let cursor = entries.entries()
  let timer: NodeJS.Timeout | undefined
  /** Whether the next round looks at everything, since a write found no room. */
  let inNeed = false

  const remove = (key: string, entry: Entry): void => {
    entries.delete(key)
    bytes -= entry.bytes
  }
  const alive = (key: string): Entry | undefined => {
    const entry = entries.get(key)
    if (entry === undefined || entry.expiresAt > now()) return entry
    remove(key, entry)
    return undefined
  }
  const textAt = (key: string): string | undefined => {
    return textOf(alive(key))
  }
  const dropMember = (key: string, entry: Entry, members: Map<string, number>, member: string): void => {
    if (!members.delete(member)) return
    const size = memberBytes + Buffer.byteLength(member)
    entry.bytes -= size
    bytes -= size
    if (members.size === 0) remove(key, entry)
  }
  /** Without the oldest that have expired, so that a set which is only ever added to does not grow without end. */
  const setAt = (key: string): { readonly entry: Entry; readonly members: Map<string, number> } | undefined => {
    const entry = alive(key)
    if (entry === undefined || !(entry.value instanceof Map)) return undefined
    const members = entry.value
    for (const [member, until] of members) {
      if (until > now()) break
      dropMember(key, entry, members, member)
    }
    return members.size === 0 ? undefined : { entry, members }
  }

  /** Looks at the next few records, and begins anew at the end. */
  const free = (count: number): void => {
    const time = now()
    for (let looked = 0; looked < count; looked++) {
      const { value: next, done } = cursor.next()
      if (done === true) {
        cursor = entries.entries()
        return
      }
      const [key, entry] = next
      if (entry.expiresAt <= time) remove(key, entry)
    }
  }
  const round = (): void => {
    const count = inNeed ? entries.size : Math.max(fewest, Math.ceil(entries.size / 10))
    inNeed = false
    const freeSlice = (left: number): void => {
      free(Math.min(slice, left))
      if (left > slice) setImmediate(freeSlice, left - slice).unref()
    }
    freeSlice(count)
    if (entries.size > 0) return
    clearInterval(timer)
    timer = undefined
  }

  const assertRoom = (growth: number): void => {
    free(2)
    if (bytes + growth <= (growth <= smallBytes ? maxBytes : maxBytes * 0.95)) return
    refused += 1
    inNeed = true
    throw new UpstreamError('store_unavailable', 'the in-process store is full')
  }
  const write = (key: string, value: Entry['value'], size: number, expiresAt: number): void => {
    const before = alive(key)
    if (expiresAt <= now()) {
      if (before !== undefined) remove(key, before)
      return
    }
    // What is there may be written anew, also when it grows: a session is not lost because there is no room for others.
    if (before === undefined) assertRoom(size)
    bytes += size - (before?.bytes ?? 0)
    entries.set(key, { value, bytes: size, expiresAt })
    timer ??= setInterval(round, roundMs).unref()
  }
  const endOf = (expiry: Expiry, before = 0): number => {
    if (typeof expiry === 'number') return expiry
    return 'lasts' in expiry ? now() + expiry.lasts : Math.max(before, expiry.atLeast)
  }
  const writeText = (key: string, text: string, expiresAt: number): void => {
    const value = pack(text)
    write(key, value, recordBytes + Buffer.byteLength(key) + packedBytes(value), expiresAt)
  }

  return {
    get: async (key) => textAt(key),
    set: async (key, text, expiresAt) => writeText(key, text, expiresAt),
    async addIfAbsent(key, text, expiresAt) {
      if (alive(key) !== undefined) return false
      writeText(key, text, endOf(expiresAt))
      return true
    },
    async replace(key, expected, text, expiresAt) {
      if (textAt(key) !== expected) return false
      writeText(key, text, endOf(expiresAt, alive(key)?.expiresAt))
      return true
    },
    async extend(key, expiresAt) {
      const entry = alive(key)
      if (entry === undefined) return false
      entry.expiresAt = expiresAt
      return true
    },
    async take(key) {
      const entry = alive(key)
      if (entry !== undefined) remove(key, entry)
      return textOf(entry)
    },
    async delete(key) {
      const entry = alive(key)
      if (entry !== undefined) remove(key, entry)
      return entry !== undefined
    },
    async deleteIf(key, expected) {
      const entry = alive(key)
      if (entry === undefined || textAt(key) !== expected) return false
      remove(key, entry)
      return true
    },
    async addMember(key, member, expiresAt) {
      const set = setAt(key)
      const size = memberBytes + Buffer.byteLength(member)
      if (set === undefined) {
        const whole = recordBytes + Buffer.byteLength(key) + size
        return write(key, new Map([[member, expiresAt]]), whole, expiresAt)
      }
      const { entry, members } = set
      const until = members.get(member)
      if (until === undefined) {
        assertRoom(size)
        entry.bytes += size
        bytes += size
      }
      members.set(member, Math.max(until ?? 0, expiresAt))
      entry.expiresAt = Math.max(entry.expiresAt, expiresAt)
    },
    async removeMember(key, member) {
      const set = setAt(key)
      if (set !== undefined) dropMember(key, set.entry, set.members, member)
    },
    members: async (key) =>
      [...(setAt(key)?.members ?? [])].filter(([, until]) => until > now()).map(([member]) => member),
    count: async (key, cost, quota) => count(key, cost, quota),
    signals: createLocalSignals(),
    async close() {
      clearInterval(timer)
      entries.clear()
      bytes = 0
    },
    usage: () => ({ records: entries.size, bytes, maxBytes, refused }),
  }
}

function textOf(entry: Entry | undefined): string | undefined {
  return entry === undefined || entry.value instanceof Map ? undefined : unpack(entry.value)
}

/** Seen with --max-old-space-size=48: the process lives on at the limit, which is 16 MiB then. */
export function defaultMaxBytes(heapLimit: number): number {
  return Math.max(8 * mebibyte, Math.floor((heapLimit - 64 * mebibyte) / 2))
}
