import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'

/** What scrypt makes a key of. @see {@link https://www.rfc-editor.org/rfc/rfc7914 RFC 7914} */
export interface Derivation {
  readonly password: string
  readonly salt: Uint8Array
  /** Bytes to derive. */
  readonly length: number
  readonly ln: number
  readonly r: number
  readonly p: number
}

/** Threads that derive: where there are several cores, one at least stays free for requests without a sign-in. */
export const passwordThreads = Math.max(1, Math.min(2, availableParallelism() - 1))

interface Job {
  readonly derivation: Derivation
  resolve(derived: Uint8Array): void
  reject(error: unknown): void
}

interface Thread {
  readonly worker: Worker
  job: Job | undefined
}

const threads = new Set<Thread>()
const waiting: Job[] = []

/**
 * Derives in a thread of its own, started when it is first needed. libuv's four threads, where `crypto.scrypt` would run,
 * also read files, resolve names and sign: 32 passwords there held up every static page for seconds. A thread without a
 * job does not keep the process alive.
 */
export function derive(derivation: Derivation): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    waiting.push({ derivation, resolve, reject })
    next()
  })
}

function next(): void {
  if (waiting.length === 0) return
  const idle = [...threads].find(({ job }) => job === undefined)
  const thread = idle ?? (threads.size < passwordThreads ? startThread() : undefined)
  if (thread === undefined) return
  thread.job = waiting.shift()
  thread.worker.ref()
  thread.worker.postMessage(thread.job?.derivation)
}

function startThread(): Thread {
  const worker = new Worker(new URL('./password-worker.js', import.meta.url), {
    // Neither the environment, which may hold secrets, nor the flags of this process.
    env: {},
    execArgv: [],
    name: 'passwords',
  })
  const thread: Thread = { worker, job: undefined }
  threads.add(thread)
  worker.on('message', (derived: Uint8Array) => {
    worker.unref()
    thread.job?.resolve(derived)
    thread.job = undefined
    next()
  })
  worker.on('error', (error: unknown) => thread.job?.reject(error))
  // What a thread throws ends it. The next job starts another.
  worker.on('exit', () => {
    threads.delete(thread)
    thread.job?.reject(new Error('the thread that derives passwords has ended'))
    next()
  })
  return thread
}
