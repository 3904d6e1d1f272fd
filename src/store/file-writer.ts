import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { openFileDatabase } from './file-database.js'
import { createFileOperations, type FileOperations } from './file-operations.js'
import { createSweep } from './file-sweep.js'

/*
 * The thread that writes: flushing takes milliseconds, and so may another process. All that has come in the meantime goes
 * into one transaction and is flushed once.
 */

/** Asked by the thread that serves. */
export interface FileWrite {
  readonly id: number
  readonly name: keyof FileOperations
  readonly values: readonly unknown[]
}

/** In the order of what was asked. `message`: nothing of it was written. */
export type FileWritten =
  | { readonly ids: readonly number[]; readonly results: readonly unknown[] }
  | { readonly ids: readonly number[]; readonly message: string; readonly code: unknown }

/** More would hold up other processes. */
const most = 500
/** Milliseconds between two rounds of freeing what has expired. */
const roundMs = 1000

if (parentPort !== null) await serve(parentPort, workerData.path)

async function serve(port: MessagePort, path: string): Promise<void> {
  const database = await openFileDatabase(path)
  const operations = createFileOperations(database)

  const perform = (writes: readonly FileWrite[], table: typeof database.records): void => {
    if (writes.length === 0) return
    const ids = writes.map(({ id }) => id)
    try {
      const results: unknown[] = []
      table.transaction(() => {
        for (const { name, values } of writes)
          results.push((operations[name] as (...values: unknown[]) => unknown)(...values))
      })
      port.postMessage({ ids, results } satisfies FileWritten)
    } catch (error) {
      // Only these two of an error would arrive.
      const { message, code } = error as NodeJS.ErrnoException
      port.postMessage({ ids, message, code } satisfies FileWritten)
    }
  }
  const close = async (): Promise<void> => {
    clearInterval(timer)
    await database.close()
    port.close()
  }
  port.on('message', (first: FileWrite | 'close') => {
    const writes: FileWrite[] = []
    let next: FileWrite | 'close' | undefined = first
    while (next !== undefined && next !== 'close') {
      writes.push(next)
      next = writes.length < most ? receiveMessageOnPort(port)?.message : undefined
    }
    const isFleeting = ({ name }: FileWrite): boolean => name === 'count' || name === 'signal'
    perform(
      writes.filter((write) => !isFleeting(write)),
      database.records,
    )
    perform(writes.filter(isFleeting), database.counts)
    if (next === 'close') void close()
  })

  const sweeps = [database.records, database.members, database.counts, database.messages].map(createSweep)
  const timer = setInterval(() => sweeps.forEach((sweep) => void sweep()), roundMs)
  port.postMessage('open')
}
