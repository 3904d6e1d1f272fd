import { hash } from 'node:crypto'
import type { Database } from 'lmdb'

/** A record that is alive. */
export interface FileRecord {
  readonly text: string
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

/** One kind of records in the database. Reads look at the file as it is mapped into memory, and wait for nothing. */
export interface FileTable {
  /** Undefined when there is none, or it has expired. */
  find(key: string): FileRecord | undefined
  /** What `find` finds of all keys that begin so. */
  startingWith(prefix: string): FileRecord[]
  /** Within a transaction. */
  put(key: string, record: FileRecord): void
  /** Within a transaction. */
  remove(key: string): void
  /** Runs alone, of all threads and processes, and is on the disk when it returns. */
  transaction(work: () => void): void
  /** Looks at some records in the order of their keys; names the last of them, unless it was the last of all. */
  expired(after: string | undefined, limit: number): { readonly keys: readonly string[]; readonly last?: string }
  /** Those that are alive, and expired ones that are not freed yet. */
  count(): number
}

/** The database takes keys of 1,978 bytes. */
const longestKey = 400
const expiryBytes = 8

export function createFileTable(database: Database<Buffer, string>): FileTable {
  const read = (bytes: Buffer): FileRecord | undefined => {
    const expiresAt = bytes.readDoubleLE(0)
    if (expiresAt <= Date.now() / 1000) return undefined
    // Its length is said: the database's buffer is longer than the record, and Node.js 24 does not ask `length` for the end.
    return { text: bytes.toString('utf8', expiryBytes, bytes.length), expiresAt }
  }

  return {
    find(key) {
      // Another process may have written since: by itself the database looks anew once in a millisecond.
      database.resetReadTxn()
      const bytes = database.getBinaryFast(nameOf(key))
      return bytes && read(bytes)
    },
    startingWith(prefix) {
      database.resetReadTxn()
      const found: FileRecord[] = []
      for (const { value } of database.getRange({ start: prefix, end: `${prefix}\uffff` })) {
        const record = read(value)
        if (record !== undefined) found.push(record)
      }
      return found
    },
    put(key, { text, expiresAt }) {
      const bytes = Buffer.allocUnsafe(expiryBytes + Buffer.byteLength(text))
      bytes.writeDoubleLE(expiresAt, 0)
      bytes.write(text, expiryBytes, 'utf8')
      database.putSync(nameOf(key), bytes)
    },
    remove: (key) => void database.removeSync(nameOf(key)),
    transaction: (work) => database.transactionSync(work),
    expired(after, limit) {
      database.resetReadTxn()
      const range = after === undefined ? { limit } : { start: after, exclusiveStart: true, limit }
      const looked = [...database.getKeys(range)]
      const keys = looked.filter((key) => {
        const bytes = database.getBinaryFast(key)
        return bytes !== undefined && read(bytes) === undefined
      })
      const last = looked.length < limit ? undefined : looked.at(-1)
      return { keys, ...(last !== undefined && { last }) }
    },
    count: () => Number(Object(database.getStats()).entryCount ?? 0),
  }
}

function nameOf(key: string): string {
  return key.length > 0 && key.length <= longestKey ? key : `#${hash('sha256', key, 'base64url')}`
}
