import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { Client } from '../../http/trusted-peers.js'
import { publish } from '../../telemetry/events.js'
import type { Credentials } from '../credentials.js'
import { developmentServerRoute } from '../development-server.js'
import type { FrontendOptions, RouteOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import { createRoster } from '../roster.js'
import type { RouteMatch } from '../route.js'
import type { Held } from '../session-watch.js'
import type { Forwarding, Send } from './attempt.js'
import { type Answered, attemptUntilAnswered } from './attempts.js'
import { createAuthorize } from './authorization.js'
import type { Headers } from './headers.js'
import { sendOverHttp } from './http-transport.js'
import { createNonceMemory } from './nonce-memory.js'
import { publicLocation } from './redirect.js'
import { relay } from './relay.js'
import { createRequestBody, noBody, type RequestBody } from './request-body.js'
import { requestHeaders } from './request-headers.js'
import { responseHeaders } from './response-headers.js'
import { startDeadline, type Timeouts, timeoutsOf } from './timeouts.js'
import { createConnections, createUpstreamPool, type UpstreamPool } from './upstream.js'
import type { UpstreamResponse } from './upstream-response.js'
import { watchWebSocket } from './web-socket.js'
import { createWebSocketProxy, upgradeThrough } from './web-socket-transport.js'

/** One request of a browser that has passed every check, and all that forwarding it takes. */
export interface ForwardExchange {
  readonly frontend: FrontendOptions
  readonly match: RouteMatch
  readonly credentials: Credentials
  readonly client: Client
  readonly requestId: string
  /** Its signal is aborted when the session ends: WebSockets and event streams end with it. */
  readonly held?: Held | undefined
}

export interface ForwarderOptions {
  readonly frontends: readonly FrontendOptions[]
}

export interface Forwarder {
  /**
   * Forwards a request and its response. Resolves when the exchange is over, also when either side broke it off.
   * @throws Refusal only while nothing has been sent to the browser
   */
  forward(request: IncomingMessage, response: ServerResponse, exchange: ForwardExchange): Promise<void>
  /**
   * Forwards a request for a WebSocket and joins both sides. Resolves when they have parted. The caller listens to the
   * socket's errors before it does anything else.
   * @throws Refusal only while nothing has been sent to the browser
   */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer, exchange: ForwardExchange): Promise<void>
  /** Ends WebSockets and event streams, waits for what is under way, and breaks off what has not ended after `seconds`. */
  drain(seconds: number): Promise<void>
  close(): void
}

/** Something under way. */
interface Exchange {
  /** Ends what would not end by itself. */
  leave?: () => void
  breakOff(): void
}

export function createForwarder({ frontends }: ForwarderOptions): Forwarder {
  const connections = createConnections()
  const prepared = new Map<RouteOptions, { readonly pool: UpstreamPool; readonly timeouts: Timeouts }>()
  for (const route of frontends.flatMap((frontend) => [...frontend.routes, developmentServerRoute(frontend)]))
    if (route)
      prepared.set(route, { pool: createUpstreamPool(route, connections), timeouts: timeoutsOf(route.timeouts) })
  const proxy = createWebSocketProxy()
  const nonces = createNonceMemory()
  const exchanges = createRoster<Exchange>()
  const authorize = createAuthorize()

  const settingsOf = (route: RouteOptions) => {
    const settings = prepared.get(route)
    if (settings === undefined) throw new TypeError('the route is not one that the forwarder was made for')
    return settings
  }

  const answerOf = (
    forwarding: Forwarding,
    send: Send,
    { frontend, match, client, requestId, credentials }: ForwardExchange,
    { body, headers }: { readonly body: RequestBody; readonly headers?: Headers },
  ): Promise<Answered | undefined> => {
    const facts = { client, publicUrl: frontend.publicUrl, removedPrefix: match.removedPrefix, requestId }
    const settled = requestHeaders(forwarding.request, facts)
    if (headers !== undefined) Object.assign(settled, headers)
    const plan = {
      route: match.route,
      pool: settingsOf(match.route).pool,
      upstreamTarget: match.upstreamTarget,
      method: forwarding.request.method ?? 'GET',
      headers: settled,
      body,
      credentials,
    }
    return attemptUntilAnswered(forwarding, plan, { send, authorize, nonces })
  }

  const relayAnswer = (
    upstreamResponse: UpstreamResponse,
    response: ServerResponse,
    { url, upstream }: Answered,
    { match, credentials }: ForwardExchange,
  ): void => {
    const headers = responseHeaders(upstreamResponse, response, {
      personal: credentials.kind !== 'none',
      publicLocation: (location) => publicLocation(location, url, upstream, match),
    })
    relay(upstreamResponse, response, headers)
  }

  return {
    async forward(request, response, exchange) {
      if (response.destroyed) return
      const { route } = exchange.match
      const { timeouts } = settingsOf(route)
      const started = performance.now()
      const body = createRequestBody(request, response, route)
      const forwarding: Forwarding = { request, timeouts, isGone: () => response.destroyed, current: undefined }
      const own: Exchange = { breakOff: () => response.destroy() }
      const closed = new Promise<void>((resolve) => {
        response.once('close', () => {
          forwarding.current?.destroy()
          resolve()
        })
      })
      const stopDeadline = startDeadline(timeouts, (refusal) => {
        forwarding.current?.destroy(refusal)
        if (response.headersSent) response.destroy()
      })
      const depart = exchanges.enter(own)
      let answered: Answered | undefined
      try {
        answered = await answerOf(forwarding, sendOverHttp, exchange, { body })
        if (answered?.answer.kind === 'answered') {
          body.settle()
          relayAnswer(answered.answer.response, response, answered, exchange)
          if (isEventStream(answered.answer.response)) {
            own.leave = () => {
              response.end()
              forwarding.current?.destroy()
            }
            exchange.held?.signal().addEventListener('abort', own.leave, { once: true })
          }
        }
        await closed
        if (!request.complete) body.discard()
      } catch (error) {
        forwarding.current?.destroy()
        body.discard()
        throw error
      } finally {
        stopDeadline()
        depart()
        if (own.leave) exchange.held?.signal().removeEventListener('abort', own.leave)
      }
      report(exchange, request, response.headersSent ? response.statusCode : 499, started, answered)
    },

    async upgrade(request, socket, head, exchange) {
      if (socket.destroyed) return
      assertWebSocket(request)
      const { route } = exchange.match
      const { timeouts } = settingsOf(route)
      const started = performance.now()
      const forwarding: Forwarding = { request, timeouts, isGone: () => socket.destroyed, current: undefined }
      const own: Exchange = { breakOff: () => socket.destroy() }
      const closed = new Promise<void>((resolve) => {
        socket.once('close', () => {
          forwarding.current?.destroy()
          resolve()
        })
      })
      const depart = exchanges.enter(own)
      let answered: Answered | undefined
      let onSessionEnd = (): void => {}
      try {
        const headers = { connection: 'Upgrade', upgrade: 'websocket' }
        const send = upgradeThrough(proxy, socket, head, (upstreamSocket) => {
          const { pingInterval = 30 } = route.webSocket ?? {}
          const link = watchWebSocket(socket, upstreamSocket, { pingInterval, idle: timeouts.idle })
          own.leave = () => link.close(1001, 'going away')
          onSessionEnd = () => link.close(4401, 'the session has ended')
          if (exchange.held?.signal().aborted) onSessionEnd()
          exchange.held?.signal().addEventListener('abort', onSessionEnd, { once: true })
        })
        answered = await answerOf(forwarding, send, exchange, { body: noBody, headers })
        if (answered?.answer.kind === 'answered') {
          const response = new ServerResponse(request)
          response.assignSocket(socket)
          response.shouldKeepAlive = false
          response.once('finish', () => socket.destroySoon())
          relayAnswer(answered.answer.response, response, answered, exchange)
        }
        await closed
      } catch (error) {
        forwarding.current?.destroy()
        throw error
      } finally {
        depart()
        exchange.held?.signal().removeEventListener('abort', onSessionEnd)
      }
      report(exchange, request, statusOfUpgrade(answered), started, answered)
    },

    async drain(seconds) {
      for (const { leave } of exchanges.all()) leave?.()
      const limit = performance.now() + seconds * 1000
      while (exchanges.size > 0 && performance.now() < limit) await setTimeout(Math.min(50, seconds * 1000))
      for (const { breakOff } of exchanges.all()) breakOff()
    },

    close() {
      for (const { pool } of prepared.values()) pool.close()
      connections.close()
    },
  }
}

/** @throws Refusal `bff.request.malformed`: `h2c` would let a browser speak past us (RFC 9113 has retired it). */
function assertWebSocket({ method, headers }: IncomingMessage): void {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket' || hasBody)
    throw new Refusal('bff.request.malformed', 'the only upgrade is a GET without a body to WebSocket')
}

function isEventStream({ headers }: UpstreamResponse): boolean {
  return /^text\/event-stream\b/i.test(headers['content-type'] ?? '')
}

function statusOfUpgrade(answered: Answered | undefined): number {
  switch (answered?.answer.kind) {
    case undefined:
      return 499
    case 'upgraded':
      return 101
    case 'answered':
      return answered.answer.response.status
  }
}

function report(
  { frontend, match, requestId }: ForwardExchange,
  { method = 'GET' }: IncomingMessage,
  status: number,
  started: number,
  answered: Answered | undefined,
): void {
  publish({
    type: 'gateway.request.forwarded',
    frontend: frontend.name,
    requestId,
    route: match.route.path,
    method,
    status,
    seconds: (performance.now() - started) / 1000,
    attempts: answered?.attempts ?? 0,
  })
}
