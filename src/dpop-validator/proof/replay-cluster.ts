import cluster from 'node:cluster'
import { isJsonObject } from '../../jose/json-object.js'
import { verifierDefaults } from '../defaults.js'
import { topic } from './replay-cluster-worker.js'
import { createLocalReplayMemory } from './replay-memory.js'

export interface ClusterReplayServerOptions {
  /** Uses remembered at most. Default: 1,000,000. */
  readonly capacity?: number
}

/** To be called once in the primary process of a `node:cluster`: what its workers with `replay: 'cluster'` ask. */
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
