import cluster from 'node:cluster'
import { isJsonObject } from '../../jose/json-object.js'
import { verifierDefaults } from '../defaults.js'
import { topic } from './replay-cluster-worker.js'
import { createLocalReplayMemory } from './replay-memory.js'

/** How much the primary process remembers. */
export interface ClusterReplayServerOptions {
  /** Uses remembered at most. Default: 1,000,000. */
  readonly capacity?: number
}

/**
 * To be called once in the primary process of a `node:cluster`: what its workers with `replay: 'cluster'` ask.
 * @throws TypeError in a worker
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-11.1 RFC 9449 §11.1}
 * @example
 * ```ts
 * import cluster from 'node:cluster'
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { serveClusterReplays } from 'sallyport/dpop-validator/cluster'
 *
 * if (cluster.isPrimary) {
 *   serveClusterReplays()
 *   // cluster.fork(), once for each core
 * } else {
 *   createVerifier({ issuer: 'https://auth.example.com', audience: 'a', publicUrl: 'https://a.example', replay: 'cluster' })
 * }
 * ```
 */
export function serveClusterReplays({
  capacity = verifierDefaults.replayCapacity,
}: ClusterReplayServerOptions = {}): void {
  if (!cluster.isPrimary) throw new TypeError('serveClusterReplays() belongs in the primary process')
  const memory = createLocalReplayMemory({ capacity, now: () => Date.now() / 1000 })
  cluster.on('message', (worker, message: unknown) => {
    if (!isJsonObject(message) || message.topic !== topic) return
    const { id, use, expiresAt } = message
    if (typeof use !== 'string' || typeof expiresAt !== 'number') return
    let first: boolean | undefined
    try {
      first = memory.firstUse(use, expiresAt)
    } catch {
      // Full: no answer says that the proof may be accepted.
    }
    if (worker.isConnected()) worker.send({ topic, id, first })
  })
}
