import type { FileTable } from './file-table.js'
import { createLocalSignals } from './local-signals.js'
import type { Signals } from './store.js'

/** Milliseconds between two looks, each a read of one number that is mapped into memory. */
const lookEveryMs = 200
/** Seconds for which a message is there to be read: longer than a process is stopped that will go on. */
const kept = 60
/** Seconds. Without it the numbers would begin anew. */
const tenYears = 315_360_000
const counter = 'last'

/** Messages between the processes of one machine: numbered records, and each process looks whether there are new ones. */
export function createFileSignals(
  messages: FileTable,
  write: (topic: string, message: string) => Promise<void>,
): Signals & { close(): void } {
  const here = createLocalSignals()
  let listeners = 0
  let seen = 0
  let timer: NodeJS.Timeout | undefined

  const look = (): void => {
    try {
      const last = lastNumber(messages)
      for (; seen < last; seen++) {
        const text = messages.find(nameOf(seen + 1))?.text
        if (text === undefined) continue
        const [topic, message] = JSON.parse(text) as [string, string]
        void here.send(topic, message)
      }
    } catch {
      // What cannot be read now is read at the next look; callers of the store are told what is wrong with it.
    }
  }
  const stop = (): void => {
    clearInterval(timer)
    timer = undefined
  }

  return {
    send: write,
    listen(topic, listener) {
      if (timer === undefined) {
        seen = lastNumber(messages)
        timer = setInterval(look, lookEveryMs).unref()
      }
      listeners += 1
      const leave = here.listen(topic, listener)
      return () => {
        leave()
        listeners -= 1
        if (listeners === 0) stop()
      }
    },
    close: stop,
  }
}

/** Within a transaction. */
export function addSignal(messages: FileTable, topic: string, message: string): void {
  const now = Date.now() / 1000
  const number = lastNumber(messages) + 1
  messages.put(nameOf(number), { text: JSON.stringify([topic, message]), expiresAt: now + kept })
  messages.put(counter, { text: String(number), expiresAt: now + tenYears })
}

function lastNumber(messages: FileTable): number {
  return Number(messages.find(counter)?.text ?? 0)
}

function nameOf(number: number): string {
  return `message ${number}`
}
