/** Finds what has expired, bit by bit: memory follows what is alive, and no one waits for a great cleaning. */
export interface ExpiredRecords {
  /** Looks at the next few records, and begins anew at the end. */
  look(count: number): void
  /** The next round looks at everything, since a write found no room. */
  hurry(): void
  /** Rounds go on until there is nothing left. */
  start(): void
  stop(): void
}

export interface ExpiredRecordsOptions<Entry> {
  readonly entries: ReadonlyMap<string, Entry>
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly remove: (key: string, entry: Entry) => void
}

/** Milliseconds between two rounds of looking for what has expired: at a tenth of the records, but at this many at least. */
const roundMs = 1000
const fewest = 5000
/** Records looked at without a pause: about a tenth of a millisecond. */
const slice = 1000

export function createExpiredRecords<Entry extends { readonly expiresAt: number }>({
  entries,
  now,
  remove,
}: ExpiredRecordsOptions<Entry>): ExpiredRecords {
  let cursor = entries.entries()
  let timer: NodeJS.Timeout | undefined
  let isInNeed = false

  const look = (count: number): void => {
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
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }
  const round = (): void => {
    const count = isInNeed ? entries.size : Math.max(fewest, Math.ceil(entries.size / 10))
    isInNeed = false
    const lookAtSlice = (left: number): void => {
      look(Math.min(slice, left))
      if (left > slice) setImmediate(lookAtSlice, left - slice).unref()
    }
    lookAtSlice(count)
    if (entries.size === 0) stop()
  }

  return {
    look,
    hurry() {
      isInNeed = true
    },
    start() {
      timer ??= setInterval(round, roundMs).unref()
    },
    stop,
  }
}
