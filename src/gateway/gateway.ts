import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { clientOf, createTrustedPeers } from '../http/trusted-peers.js'
import { gatewayDefaults } from './defaults.js'
import { createEndpoints } from './endpoints/endpoints.js'
import { createLimits } from './endpoints/limits.js'
import { answerError, answerUpgradeError, type Refused, refusalOf } from './error-response.js'
import { type ForwardExchange, reportRefused } from './forwarding/exchange.js'
import { createForwarder } from './forwarding/forwarder.js'
import { assertFrontends } from './frontend/check-frontends.js'
import { createFrontendSelection } from './frontend/frontend.js'
import { createIssuerFetch } from './oauth/issuer-fetch.js'
import type { GatewayOptions } from './options.js'
import { provisionFrontend } from './provision.js'
import {
  allowedMethod,
  antiForgery,
  currentSession,
  freshAccessToken,
  openSession,
  type ProxiedRequest,
  requiredSession,
  sessionOfUse,
} from './proxied-request.js'
import { Refusal, statusOf } from './refusal.js'
import type { GatewayRequest } from './request.js'
import { destinationOf } from './routing/destination.js'
import { parseRequestTarget } from './routing/request-target.js'
import type { RouteMatch } from './routing/route.js'
import { createOpenedSessions } from './session/opened-sessions.js'
import type { OpenSession } from './session/session-record.js'
import { createSessionWatch, type Held } from './session/session-watch.js'
import type { Credentials } from './tokens/credentials.js'

export interface Gateway {
  /** For `http.createServer`: requests, and what `Expect: 100-continue` makes of them. */
  callback(): RequestListener
  /** For the server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Asks open WebSockets and event streams to leave, and waits for them. */
  drain(seconds: number): Promise<void>
  close(): Promise<void>
}

/** Whatever is forwarded goes through these, in this order: calls of an API, upgrades, a development server's pages. */
const steps: readonly ((call: ProxiedRequest) => Promise<void> | undefined | void)[] = [
  allowedMethod,
  openSession,
  antiForgery,
  requiredSession,
  currentSession,
  freshAccessToken,
  sessionOfUse,
]

/** What may stand in a log line, a header and an address. */
const usableRequestId = /^[\w.~:+/=-]{1,128}$/

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const {
    now = () => Date.now() / 1000,
    trustedProxies = [],
    trustForwardedHost = gatewayDefaults.trustForwardedHost,
  } = options
  assertFrontends(options.frontends)
  const isTrustedPeer = createTrustedPeers(trustedProxies)
  const saysHost = createTrustedPeers(trustForwardedHost ? trustedProxies : [])
  const fetch = createIssuerFetch(options.issuerTimeout ?? gatewayDefaults.issuerTimeout, options.issuerCa)
  const watch = createSessionWatch(options.store, now)
  const shared = { ...options, fetch, now, opened: createOpenedSessions(), onEnd: watch.ended }
  const frontends = options.frontends.map((frontend) => provisionFrontend(frontend, shared))
  const select = createFrontendSelection(frontends)
  const endpoints = createEndpoints(createLimits(options.loginLimits), now)
  const forwarder = createForwarder(options.frontends, options.streamLimits)

  /** What every request is before anything else: a target with one meaning, for one frontend. */
  const received = (request: IncomingMessage, requestId: string): GatewayRequest => {
    assertOneHost(request)
    const client = clientOf(request, isTrustedPeer, saysHost)
    const target = parseRequestTarget(request.url ?? '', request.headers.host)
    return { requestId, request, target, client, frontend: select(client.host, target) }
  }

  /** A proxy of ours may have given it one already, by which its own log knows it. */
  const requestIdOf = ({ socket, headers }: IncomingMessage): string => {
    const given = headers['x-request-id']
    return typeof given === 'string' && usableRequestId.test(given) && isTrustedPeer(socket.remoteAddress)
      ? given
      : randomUUID()
  }

  const answer = async (request: IncomingMessage, response: ServerResponse, refused: Refused): Promise<void> => {
    const call = received(request, refused.requestId)
    refused.frontend = call.frontend
    // Before anything can be refused, so that a page on another host can read why.
    if (call.frontend.allowOrigin(request, response) === 'answered') return
    const destination = destinationOf(call.frontend, call.target)
    if (destination.kind === 'endpoint') return endpoints(call, response)
    const { match } = destination
    if (match === undefined) return call.frontend.page.serve(request, response, call.target)
    refused.route = match.route.path
    const { open, credentials } = await prepared(call, match, destination.kind, response)
    await forwarder.forward(request, response, exchangeOf(call, match, credentials, open, hold(open, response)))
  }

  const answerUpgrade = async (request: IncomingMessage, socket: Socket, head: Buffer, refused: Refused) => {
    const call = received(request, refused.requestId)
    refused.frontend = call.frontend
    const destination = destinationOf(call.frontend, call.target)
    if (destination.kind === 'endpoint' || destination.match === undefined)
      throw new Refusal('bff.route.unknown', 'no route of this frontend covers this path')
    const { match } = destination
    refused.route = match.route.path
    const { open, credentials } = await prepared(call, match, 'upgrade')
    await forwarder.upgrade(request, socket, head, exchangeOf(call, match, credentials, open, hold(open, socket)))
  }

  const hold = (open: OpenSession | undefined, connection: Socket | ServerResponse): Held | undefined =>
    open && watch.hold(open.session, connection)

  return {
    callback() {
      return function gateway(request, response) {
        const refused: Refused = { requestId: requestIdOf(request), request, branding: options.branding }
        answer(request, response, refused)
          .catch((error: unknown) => answerError(response, error, refused))
          // Whatever goes wrong in saying what went wrong ends this connection, not the process.
          .catch(() => response.destroy())
      }
    },
    upgrade(request, socket, head) {
      // Before anything is awaited: a peer that resets the connection must not end the process.
      socket.on('error', () => socket.destroy())
      const refused: Refused = { requestId: requestIdOf(request), request }
      if (!(socket instanceof Socket)) throw new TypeError('only a network socket can be upgraded')
      answerUpgrade(request, socket, head, refused)
        .catch((error: unknown) => answerUpgradeError(socket, error, refused))
        .catch(() => socket.destroy())
    },
    drain: (seconds) => forwarder.drain(seconds),
    async close() {
      watch.close()
      forwarder.close()
      await fetch.close()
    },
  }
}

/** Node takes the first of several, the next server perhaps the last (RFC 9112 §3.2). */
function assertOneHost({ rawHeaders }: IncomingMessage): void {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  if (hosts > 1) throw new Refusal('bff.request.ambiguous_target', 'the request names more than one host')
}

async function prepared(
  call: GatewayRequest,
  match: RouteMatch,
  kind: ProxiedRequest['kind'],
  response?: ServerResponse,
): Promise<ProxiedRequest> {
  const { requestId, request, target, client, frontend } = call
  // Member by member: a spread here was measured to cost as much as all steps, and its garbage outlived the request.
  const apiCall: ProxiedRequest = {
    requestId,
    request,
    target,
    client,
    frontend,
    match,
    kind,
    response,
    open: undefined,
    credentials: { kind: 'none' },
  }
  const started = performance.now()
  try {
    for (const step of steps) {
      const pending = step(apiCall)
      // Most steps have nothing to wait for.
      if (pending !== undefined) await pending
    }
  } catch (error) {
    // An issuer or a store that does not answer is as much an outage of this route as its upstream's.
    const refusal = refusalOf(error)
    const measured = { started, answeredAt: 0, bytesBefore: request.socket.bytesWritten }
    const exchange = exchangeOf(call, match, apiCall.credentials, apiCall.open, undefined)
    if (statusOf(refusal.code) >= 500) reportRefused(exchange, request, refusal, measured)
    throw error
  }
  return apiCall
}

function exchangeOf(
  { frontend, client, requestId }: GatewayRequest,
  match: RouteMatch,
  credentials: Credentials,
  open: OpenSession | undefined,
  held: Held | undefined,
): ForwardExchange {
  const { key: visitor, handle: session } = open?.session ?? {}
  return { frontend: frontend.options, match, client, visitor, session, requestId, credentials, held }
}
