import { hash } from 'node:crypto'
import type { FileDatabase } from './file-database.js'
import { addSignal } from './file-signals.js'
import type { FileRecord } from './file-table.js'
import { countIn, endOfCounts } from './sliding-counts.js'
import type { Count, Expiry, Quota } from './store.js'

/** What a file store writes, each within a transaction. They are what the writing thread is asked for by name. */
export type FileOperations = ReturnType<typeof createFileOperations>

export function createFileOperations({ records, members, counts, messages }: FileDatabase) {
  const put = (key: string, text: string, expiresAt: number): true => {
    records.put(key, { text, expiresAt })
    return true
  }
  const remove = (key: string): true => {
    records.remove(key)
    return true
  }

  return {
    set: put,
    addIfAbsent: (key: string, text: string, expiresAt: Expiry): boolean =>
      records.find(key) === undefined && put(key, text, endOf(expiresAt)),
    replace(key: string, expected: string, text: string, expiresAt: Expiry): boolean {
      const before = records.find(key)
      if (before?.text !== expected) return false
      return put(key, text, endOf(expiresAt, before.expiresAt))
    },
    extend(key: string, expiresAt: number): boolean {
      const record = records.find(key)
      return record !== undefined && put(key, record.text, expiresAt)
    },
    take(key: string): string | undefined {
      const record = records.find(key)
      if (record !== undefined) remove(key)
      return record?.text
    },
    delete: (key: string): boolean => records.find(key) !== undefined && remove(key),
    deleteIf: (key: string, expected: string): boolean => records.find(key)?.text === expected && remove(key),
    addMember(key: string, member: string, expiresAt: number): void {
      const name = memberName(key, member)
      members.put(name, { text: member, expiresAt: Math.max(members.find(name)?.expiresAt ?? 0, expiresAt) })
    },
    removeMember: (key: string, member: string): void => members.remove(memberName(key, member)),
    count(key: string, cost: number, quota: Quota): Count {
      const { count, slices } = countOf(counts.find(key), cost, quota)
      if (count.counted) counts.put(key, { text: JSON.stringify([...slices]), expiresAt: endOfCounts(slices, quota) })
      return count
    },
    signal: (topic: string, message: string): void => addSignal(messages, topic, message),
  }
}

function endOf(expiry: Expiry, before = 0): number {
  if (typeof expiry === 'number') return expiry
  return 'lasts' in expiry ? Date.now() / 1000 + expiry.lasts : Math.max(before, expiry.atLeast)
}

/** What a count would come to, and what there is to keep then. */
export function countOf(
  record: FileRecord | undefined,
  cost: number,
  quota: Quota,
): { readonly count: Count; readonly slices: ReadonlyMap<number, number> } {
  const slices = new Map<number, number>(JSON.parse(record?.text ?? '[]'))
  return { count: countIn(slices, cost, quota, Date.now() / 1000), slices }
}

/** Sets and members have names of any length and any characters; the keys of the database do not. */
export function memberName(set: string, member?: string): string {
  const prefix = `${hash('sha256', set, 'base64url')}:`
  return member === undefined ? prefix : prefix + hash('sha256', member, 'base64url')
}
