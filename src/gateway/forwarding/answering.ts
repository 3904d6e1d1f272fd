import type { FrontendOptions, RouteOptions } from '../options.js'
import { developmentServerRoute } from '../page/development-server.js'
import type { Forwarding, Send } from './attempt.js'
import { type Answered, attemptUntilAnswered } from './attempts.js'
import { createAuthorize } from './authorization.js'
import type { ForwardExchange } from './exchange.js'
import type { Headers } from './headers.js'
import { createNonceMemory } from './nonce-memory.js'
import type { RequestBody } from './request-body.js'
import { requestHeaders } from './request-headers.js'
import { type Timeouts, timeoutsOf } from './timeouts.js'
import { createConnections, createUpstreamPool, type UpstreamPool } from './upstream.js'

/** Finds an answer to a request: every route's upstreams, what is known of their nonces, and the proofs. */
export interface Answering {
  timeoutsOf(route: RouteOptions): Timeouts
  /**
   * @param added headers that the kind of request adds
   * @returns undefined when the browser has gone away meanwhile
   * @throws Refusal
   */
  answer(
    forwarding: Forwarding,
    send: Send,
    exchange: ForwardExchange,
    body: RequestBody,
    added?: Headers,
  ): Promise<Answered | undefined>
  close(): void
}

export function createAnswering(frontends: readonly FrontendOptions[]): Answering {
  const connections = createConnections()
  const prepared = new Map<RouteOptions, { readonly pool: UpstreamPool; readonly timeouts: Timeouts }>()
  for (const route of frontends.flatMap((frontend) => [...frontend.routes, developmentServerRoute(frontend)]))
    if (route && !prepared.has(route))
      prepared.set(route, { pool: createUpstreamPool(route, connections), timeouts: timeoutsOf(route.timeouts) })
  const nonces = createNonceMemory()
  const authorize = createAuthorize()

  const settingsOf = (route: RouteOptions) => {
    const settings = prepared.get(route)
    if (settings === undefined) throw new TypeError('the route is not one that the forwarder was made for')
    return settings
  }

  return {
    timeoutsOf: (route) => settingsOf(route).timeouts,

    answer(forwarding, send, { frontend, match, client, visitor, requestId, credentials }, body, added) {
      const { request } = forwarding
      const { publicUrl } = frontend
      const headers = requestHeaders(request, { client, publicUrl, removedPrefix: match.removedPrefix, requestId })
      if (added !== undefined) Object.assign(headers, added)
      const plan = {
        route: match.route,
        pool: settingsOf(match.route).pool,
        visitor: visitor ?? client.address,
        upstreamTarget: match.upstreamTarget,
        method: request.method ?? 'GET',
        headers,
        body,
        credentials,
      }
      return attemptUntilAnswered(forwarding, plan, { send, authorize, nonces })
    },

    close() {
      for (const { pool } of prepared.values()) pool.close()
      connections.close()
    },
  }
}
