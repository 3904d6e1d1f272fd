import { setTimeout } from 'node:timers/promises'
import type { FrontendOptions, StreamLimits } from '../options.js'
import { createAnswering } from './answering.js'
import type { Exchange } from './exchange.js'
import { createForwardRequest, type ForwardRequest } from './forward-request.js'
import { createForwardUpgrade, type ForwardUpgrade } from './forward-upgrade.js'
import { createInFlight } from './in-flight.js'
import { createOpenStreams } from './stream-limits.js'

/** Everything between a request that has passed every check and its upstream. */
export interface Forwarder {
  readonly forward: ForwardRequest
  readonly upgrade: ForwardUpgrade
  /** Ends WebSockets and event streams, waits for what is under way, and breaks off what has not ended after `seconds`. */
  drain(seconds: number): Promise<void>
  close(): void
}

export function createForwarder(frontends: readonly FrontendOptions[], limits?: StreamLimits): Forwarder {
  const answering = createAnswering(frontends)
  const exchanges = createInFlight<Exchange>()
  const streams = createOpenStreams(limits)
  return {
    forward: createForwardRequest(answering, exchanges, streams),
    upgrade: createForwardUpgrade(answering, exchanges, streams),

    async drain(seconds) {
      for (const { leave } of exchanges.all()) leave?.()
      const limit = performance.now() + seconds * 1000
      while (exchanges.size > 0 && performance.now() < limit) await setTimeout(Math.min(50, seconds * 1000))
      for (const { breakOff } of exchanges.all()) breakOff()
    },

    close: answering.close,
  }
}
