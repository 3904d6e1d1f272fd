import { scryptSync } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import type { Derivation } from './password-threads.js'

/** The thread of `password-threads.ts`: one derivation after the other. */
parentPort?.on('message', ({ password, salt, length, ln, r, p }: Derivation) => {
  const N = 2 ** ln
  parentPort?.postMessage(scryptSync(password, salt, length, { N, r, p, maxmem: 128 * r * (N + p + 2) + 1024 }))
})
