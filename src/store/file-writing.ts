import { Worker } from 'node:worker_threads'
import type { FileOperations } from './file-operations.js'
import type { FileWrite, FileWritten } from './file-writer.js'

/** The thread that writes, as the thread that serves sees it. */
export interface FileWriting {
  /** Resolves when it is on the disk. */
  perform<Name extends keyof FileOperations>(
    name: Name,
    ...values: Parameters<FileOperations[Name]>
  ): Promise<ReturnType<FileOperations[Name]>>
  /** When everything asked before is on the disk. */
  close(): Promise<void>
}

interface Asked {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** @throws Error when the database cannot be opened */
export async function startFileWriting(path: string): Promise<FileWriting> {
  const asked = new Map<number, Asked>()
  let last = 0
  let ended: unknown
  const worker = new Worker(new URL('./file-writer.js', import.meta.url), { workerData: { path } })
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  const end = (error: unknown): void => {
    ended ??= error
    for (const { reject } of asked.values()) reject(ended)
    asked.clear()
  }
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  worker.on('error', end).on('exit', () => end(new Error('the thread that writes has ended')))
  worker.on('message', (written: FileWritten) => {
    written.ids.forEach((id, index) => {
      if ('message' in written) asked.get(id)?.reject(Object.assign(new Error(written.message), { code: written.code }))
      else asked.get(id)?.resolve(written.results[index])
      asked.delete(id)
    })
  })
  // A program that has nothing else to do may end: who waits for a write has a timer.
  worker.unref()

  return {
    perform: (name, ...values) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended)
        last += 1
        asked.set(last, { resolve: resolve as (result: unknown) => void, reject })
        worker.postMessage({ id: last, name, values } satisfies FileWrite)
      }),
    async close() {
      worker.ref()
      worker.postMessage('close')
      await exited
    },
  }
}
