import { UpstreamError } from '../../errors.js'
import { isJsonObject } from '../../jose/json-object.js'
import type { ReplayMemory } from './replay-memory.js'

/** Of the messages between a worker and its primary process. */
export const topic = 'sallyport replay'

// As text: its type is that of the module's namespace, and what comes is its default export.
const cluster: string = 'node:cluster'

/** Loaded only when it is asked for: not every runtime of Fetch handlers has it. */
export function isClusterWorker(): boolean {
  const found = process.getBuiltinModule(cluster)
  return found !== undefined && 'isWorker' in found && found.isWorker === true
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
