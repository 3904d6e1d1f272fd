import { getHeapStatistics } from 'node:v8'
import { UpstreamError } from '../errors.js'
import { createExpiredRecords } from './expired-records.js'
import { createLocalSignals } from './local-signals.js'
import { addMember, endsOf, leavesOthers, type Members, untilOf } from './members.js'
import { createPackedTexts, type PackedText, packedBytes } from './packed-texts.js'
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

interface Lasting {
  bytes: number
  expiresAt: number
}
type PlainText = Lasting & { readonly text: string }
/** Says itself where its text is: an object beside it would take as much again. */
type PackedEntry = Lasting & PackedText
type SetOfMembers = Lasting & Members
type Entry = PlainText | PackedEntry | SetOfMembers

/** What a record takes beside its texts: an entry of the map, an object, headers of strings. Measured with Node 20. */
const recordBytes = 160
const memberBytes = 100
const mebibyte = 1024 * 1024

/** The last twentieth is for locks and marks of use alone: without them the sessions that are there could not go on. */
const smallBytes = 512

/**
 * The store of one process. Its records go with the process. A map, and no cache of `lru-cache`: that one's arrays never shrink,
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
  const texts = createPackedTexts()
  // Not among the records: who can make counts must not be able to fill the store.
  const { count } = createSlidingCounts({ now })
  let bytes = 0
  let refused = 0

  const discard = (entry: Entry): void => {
    bytes -= entry.bytes
    if ('slab' in entry) texts.drop(entry)
  }
  const remove = (key: string, entry: Entry): void => {
    entries.delete(key)
    discard(entry)
  }
  const alive = (key: string): Entry | undefined => {
    const entry = entries.get(key)
    if (entry === undefined || entry.expiresAt > now()) return entry
    remove(key, entry)
    return undefined
  }
  const textOf = (entry: Entry | undefined): string | undefined => {
    if (entry === undefined || 'members' in entry) return undefined
    return 'text' in entry ? entry.text : texts.unpack(entry)
  }
  const textAt = (key: string): string | undefined => textOf(alive(key))
  const dropMember = (key: string, set: SetOfMembers, member: string): void => {
    if (untilOf(set, member) === undefined) return
    const size = memberBytes + Buffer.byteLength(member)
    set.bytes -= size
    bytes -= size
    if (!leavesOthers(set, member)) remove(key, set)
  }
  /** Without the oldest that have expired, so that a set which is only ever added to does not grow without end. */
  const setAt = (key: string): SetOfMembers | undefined => {
    const set = alive(key)
    if (set === undefined || !('members' in set)) return undefined
    for (const [member, until] of endsOf(set)) {
      if (until > now()) return set
      dropMember(key, set, member)
    }
    return undefined
  }

  const expired = createExpiredRecords({ entries, now, remove })

  const assertRoom = (growth: number): void => {
    expired.look(2)
    if (bytes + growth <= (growth <= smallBytes ? maxBytes : maxBytes * 0.95)) return
    refused += 1
    expired.hurry()
    throw new UpstreamError('store_unavailable', 'the in-process store is full')
  }
  /** @param room Bytes that it takes at most. @param make Called when there is room. */
  const write = (key: string, room: number, expiresAt: number, make: () => Entry): void => {
    const before = alive(key)
    if (expiresAt <= now()) {
      if (before !== undefined) remove(key, before)
      return
    }
    // What is there may be written anew, also when it grows: a session is not lost because there is no room for others.
    if (before === undefined) assertRoom(room)
    else discard(before)
    const entry = make()
    bytes += entry.bytes
    entries.set(before === undefined ? flat(key) : key, entry)
    expired.start()
  }
  const endOf = (expiry: Expiry, before = 0): number => {
    if (typeof expiry === 'number') return expiry
    return 'lasts' in expiry ? now() + expiry.lasts : Math.max(before, expiry.atLeast)
  }
  const writeText = (key: string, text: string, expiresAt: number): void => {
    const beside = recordBytes + Buffer.byteLength(key)
    write(key, beside + Buffer.byteLength(text), expiresAt, () => {
      const packed = texts.pack(text)
      const bytes = beside + packedBytes(packed)
      if (typeof packed === 'string') return { text: packed, bytes, expiresAt }
      const { slab, at, length, unpackedAt } = packed
      return { slab, at, length, unpackedAt, bytes, expiresAt }
    })
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
      const text = textOf(entry)
      if (entry !== undefined) remove(key, entry)
      return text
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
        return write(key, whole, expiresAt, () => ({ members: member, bytes: whole, expiresAt }))
      }
      if (untilOf(set, member) === undefined) {
        assertRoom(size)
        set.bytes += size
        bytes += size
      }
      addMember(set, member, expiresAt)
    },
    async removeMember(key, member) {
      const set = setAt(key)
      if (set !== undefined) dropMember(key, set, member)
    },
    async members(key) {
      const set = setAt(key)
      return set === undefined ? [] : [...endsOf(set)].flatMap(([member, until]) => (until > now() ? member : []))
    },
    count: async (key, cost, quota) => count(key, cost, quota),
    signals: createLocalSignals(),
    async close() {
      expired.stop()
      for (const [key, entry] of entries) remove(key, entry)
    },
    usage: () => ({ records: entries.size, bytes, maxBytes, refused }),
  }
}

/** The same text as one piece: V8 keeps the parts that it was put together of beside it. */
function flat(key: string): string {
  const copy = Buffer.from(key).toString()
  return copy === key ? copy : key
}

/** Seen with --max-old-space-size=48: the process lives on at the limit, which is 16 MiB then. */
export function defaultMaxBytes(heapLimit: number): number {
  return Math.max(8 * mebibyte, Math.floor((heapLimit - 64 * mebibyte) / 2))
}
