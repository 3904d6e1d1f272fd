import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FileTable } from './file-table.js'

/** Records looked at without a pause: half a millisecond, and a transaction when some have expired. */
const slice = 250
/** Rounds in which everything has been looked at once. */
const rounds = 600
/** At least so many are looked at in a round. */
const fewest = 1000

/**
 * Frees what has expired, bit by bit, a round at each call: no writer waits for a great cleaning. Several processes may do
 * so at once.
 */
export function createSweep(table: FileTable): () => Promise<void> {
  let cursor: string | undefined
  let isBusy = false

  /** True when there was much to free: more is likely to follow. */
  const sweepSlice = (): boolean => {
    const { keys, last } = table.expired(cursor, slice)
    cursor = last
    if (keys.length === 0) return false
    table.transaction(() => {
      for (const key of keys) if (table.find(key) === undefined) table.remove(key)
    })
    return keys.length > slice / 2
  }

  return async () => {
    if (isBusy) return
    isBusy = true
    try {
      let left = Math.max(fewest, Math.ceil(table.count() / rounds))
      while (left > 0) {
        if (!sweepSlice()) left -= slice
        if (cursor === undefined) return
        await nextTurn()
      }
    } catch {
      // A full disk, for example: callers are told so, and the next round tries again.
    } finally {
      isBusy = false
    }
  }
}
