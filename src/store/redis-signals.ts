import { setTimeout as delay } from 'node:timers/promises'
import { createLocalSignals } from './local-signals.js'
import type { Signals } from './store.js'

/** What it takes of a Redis client: of one server, of Sentinels or of a cluster. */
export interface RedisPubSub {
  publish(channel: string, message: string): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
}

/** Seconds until it is tried again to subscribe. Once it has worked, the client does so by itself after every lost connection. */
const retryDelay = 1

/**
 * Plain publish/subscribe, also in a cluster: the messages are few and short, any node passes them on, and no slot has to be
 * followed when it moves. Topics are few: what was subscribed to once stays so.
 */
export function createRedisSignals(client: RedisPubSub, prefix: string): Signals & { close(): void } {
  const closing = new AbortController()
  const here = createLocalSignals()
  const subscribed = new Set<string>()

  const subscribe = async (topic: string): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await client.subscribe(prefix + topic, (message) => void here.send(topic, message))
        return
      } catch {
        await delay(retryDelay * 1000, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
      }
    }
  }

  return {
    async send(topic, message) {
      await client.publish(prefix + topic, message)
    },
    listen(topic, listener) {
      if (!subscribed.has(topic)) void subscribe(topic)
      subscribed.add(topic)
      return here.listen(topic, listener)
    },
    close: () => closing.abort(),
  }
}
