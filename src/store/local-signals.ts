import { EventEmitter } from 'node:events'
import type { Signals } from './store.js'

/** Between the parts of one process. */
export function createLocalSignals(): Signals {
  const topics = new EventEmitter().setMaxListeners(0)
  return {
    async send(topic, message) {
      setImmediate(() => topics.emit(`topic ${topic}`, message))
    },
    listen(topic, listener) {
      topics.on(`topic ${topic}`, listener)
      return () => topics.off(`topic ${topic}`, listener)
    },
  }
}
