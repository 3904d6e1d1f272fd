import cluster from 'node:cluster'
import { isJsonObject } from '../dpop/json-object.js'
import { UpstreamError } from '../errors.js'
import { createLocalReplayMemory, type ReplayMemory } from './replay-memory.js'

const topic = 'sallyport replay'

export interface ClusterReplayServerOptions {
  /** Uses remembered at most. Default: 1,000,000. */
  readonly capacity?: number
}

/** To be called once in the primary process of a `node:cluster`: what its workers with `replay: 'cluster'` ask. */
export function serveClusterReplays({ capacity = 1_000_000 }: ClusterReplayServerOptions = {}): void {
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

/** Asks the primary process, which decides for all its workers. Seconds. */
export function createClusterReplayMemory(timeout = 1): ReplayMemory {
  const waiting = new Map<number, (first: unknown) => void>()
  let lastId = 0
  process.on('message', (message: unknown) => {
    if (!isJsonObject(message) || message.topic !== topic || typeof message.id !== 'number') return
    waiting.get(message.id)?.(message.first)
  })

  return {
    firstUse(use, expiresAt) {
      const id = ++lastId
      return new Promise((resolve, reject) => {
        const settle = (first: unknown): void => {
          clearTimeout(timer)
          waiting.delete(id)
          if (typeof first === 'boolean') resolve(first)
          else reject(new UpstreamError('store_unavailable', 'the primary process cannot tell'))
        }
        const timer = setTimeout(settle, timeout * 1000, undefined)
        waiting.set(id, settle)
        process.send?.({ topic, id, use, expiresAt }, (error: Error | null) => error && settle(undefined))
      })
    },
  }
}
