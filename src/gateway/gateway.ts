import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { clientOf, createTrustedPeers } from '../http/trusted-peers.js'
import { answerError, answerUpgradeError, type Refused } from './answer.js'
import { assertOwnPage } from './anti-forgery.js'
import { createLogoutTokenAcceptance, createLogoutTokenVerifier } from './backchannel-logout.js'
import type { Call, OpenSession, RunningFrontend } from './call.js'
import { createCors } from './cors.js'
import type { Credentials } from './credentials.js'
import { destinationOf } from './destination.js'
import { createEndpoints } from './endpoints.js'
import { createForwarder, type ForwardExchange } from './forwarding/forward.js'
import { assertFrontends, createFrontend, createFrontendSelection, type Frontend } from './frontend.js'
import { createIssuerFetch, type IssuerFetch } from './issuer-fetch.js'
import { keepSession } from './keep-session.js'
import { createLoginTransactions } from './login-transaction.js'
import { isNavigation } from './navigation.js'
import { createOAuthClient } from './oauth/oauth-client.js'
import { createOpenedSessions, type OpenedSessions } from './opened-sessions.js'
import type { GatewayOptions } from './options.js'
import { createPage } from './page.js'
import { Refusal } from './refusal.js'
import { parseRequestTarget } from './request-target.js'
import { assertMethodAllowed, createRouteMatcher, type RouteMatch } from './route.js'
import { createSealedSessions } from './sealed-sessions.js'
import { sessionIdentifier } from './session.js'
import { createSessionWatch, type Held } from './session-watch.js'
import { createAccessTokens, type UserCredentials } from './tokens.js'

export interface Gateway {
  /** For `http.createServer`: requests, and what `Expect: 100-continue` makes of them. */
  callback(): RequestListener
  /** For the server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Asks open WebSockets and event streams to leave, and waits for them. */
  drain(seconds: number): Promise<void>
  close(): Promise<void>
}

/** A call of an API on its way: what the steps before it have found out. */
interface ApiCall extends Call {
  readonly match: RouteMatch
  readonly kind: 'request' | 'upgrade'
  /** Undefined for an upgrade. */
  readonly response: ServerResponse | undefined
  open: OpenSession | undefined
  credentials: Credentials
}

/** Every call of an API and every upgrade goes through these, in this order, and then to the forwarder. */
const steps: readonly ((call: ApiCall) => Promise<void> | undefined | void)[] = [
  allowedMethod,
  openSession,
  antiForgery,
  requiredSession,
  currentSession,
  freshAccessToken,
]

export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { now = () => Date.now() / 1000, trustedProxies = [] } = options
  assertFrontends(options.frontends)
  const isTrustedPeer = createTrustedPeers(trustedProxies)
  const fetch = createIssuerFetch(options.issuerTimeout ?? 10, options.issuerCa)
  const watch = createSessionWatch(options.store, now)
  const shared = { ...options, fetch, now, opened: createOpenedSessions(), onEnd: watch.ended }
  const frontends = options.frontends.map((frontend) => runFrontend(createFrontend(frontend), shared))
  const select = createFrontendSelection(frontends)
  const endpoints = createEndpoints(now)
  const forwarder = createForwarder({ frontends: options.frontends })

  /** What every request is before anything else: a target with one meaning, for one frontend. */
  const received = (request: IncomingMessage, requestId: string): Call => {
    assertOneHost(request)
    const client = clientOf(request, isTrustedPeer)
    const target = parseRequestTarget(request.url ?? '', request.headers.host)
    return { requestId, request, target, client, frontend: select(client.host, target.path) }
  }

  const prepared = async (
    call: Call,
    match: RouteMatch,
    kind: ApiCall['kind'],
    response?: ServerResponse,
  ): Promise<ApiCall> => {
    const { requestId, request, target, client, frontend } = call
    // Member by member: a spread here was measured to cost as much as all steps, and its garbage outlived the request.
    const apiCall: ApiCall = {
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
    for (const step of steps) {
      const pending = step(apiCall)
      // Most steps have nothing to wait for.
      if (pending !== undefined) await pending
    }
    return apiCall
  }

  const answer = async (request: IncomingMessage, response: ServerResponse, refused: Refused): Promise<void> => {
    const call = received(request, refused.requestId)
    refused.frontend = call.frontend
    // Before anything can be refused, so that a page on another host can read why.
    if (call.frontend.allowOrigin(request, response) === 'answered') return
    const destination = destinationOf(call.frontend, call.target)
    if (destination.kind === 'endpoint') return endpoints(call, response)
    if (destination.kind === 'page') return servePage(call, response)
    const { match } = destination
    const { open, credentials } = await prepared(call, match, 'request', response)
    await forwarder.forward(request, response, exchangeOf(call, match, credentials, hold(open, response)))
  }

  const servePage = async (call: Call, response: ServerResponse): Promise<void> => {
    const { page } = call.frontend
    const match = page.match(call.target)
    if (match === undefined) return page.serve(call.request, response, call.target)
    await forwarder.forward(call.request, response, exchangeOf(call, match, { kind: 'none' }, undefined))
  }

  const answerUpgrade = async (request: IncomingMessage, socket: Socket, head: Buffer, refused: Refused) => {
    const call = received(request, refused.requestId)
    refused.frontend = call.frontend
    const match = call.frontend.matchRoute(call.target) ?? call.frontend.page.match(call.target)
    if (match === undefined) throw new Refusal('bff.route.unknown', 'no route of this frontend covers this path')
    const { open, credentials } = await prepared(call, match, 'upgrade')
    await forwarder.upgrade(request, socket, head, exchangeOf(call, match, credentials, hold(open, socket)))
  }

  const hold = (open: OpenSession | undefined, connection: Socket | ServerResponse): Held | undefined =>
    open && watch.hold(open.session, connection)

  return {
    callback() {
      return function gateway(request, response) {
        const refused: Refused = { requestId: randomUUID(), request }
        answer(request, response, refused)
          .catch((error: unknown) => answerError(response, error, refused))
          // Whatever goes wrong in saying what went wrong ends this connection, not the process.
          .catch(() => response.destroy())
      }
    },
    upgrade(request, socket, head) {
      // Before anything is awaited: a peer that resets the connection must not end the process.
      socket.on('error', () => socket.destroy())
      const refused: Refused = { requestId: randomUUID(), request }
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

interface FrontendParts extends GatewayOptions {
  readonly fetch: IssuerFetch
  readonly now: () => number
  readonly opened: OpenedSessions
  readonly onEnd: (key: string) => void
}

function runFrontend(
  frontend: Frontend,
  { store, seal, issuerTimeout = 10, fetch, now, opened, onEnd }: FrontendParts,
): RunningFrontend {
  const oauth = createOAuthClient({ frontend, fetch, timeout: issuerTimeout, now })
  const sessions = createSealedSessions({ store, seal, frontend, opened, now, onEnd })
  const verifyLogoutToken = createLogoutTokenVerifier({ options: frontend.options, oauth }, fetch, now)
  return {
    ...frontend,
    oauth,
    sessions,
    transactions: createLoginTransactions(store, seal, frontend, now),
    tokens: createAccessTokens({ frontend, oauth, sessions, store, now }),
    matchRoute: createRouteMatcher(frontend.options),
    page: createPage(frontend.options),
    allowOrigin: createCors(frontend.options),
    acceptLogoutToken: createLogoutTokenAcceptance({ name: frontend.name, sessions }, verifyLogoutToken, store),
  }
}

function allowedMethod({ match, request }: ApiCall): void {
  assertMethodAllowed(match.route, request.method ?? '')
}

/** Reads the session where the route looks at it. A person who only has to log in is sent there at once. */
async function openSession(call: ApiCall): Promise<void> {
  const { request, frontend, match } = call
  if (match.route.tokenType !== 'User' && match.route.tokenType !== 'UserOrNone') return
  const id = sessionIdentifier(request.headers.cookie, frontend)
  const session = id === undefined ? undefined : await frontend.sessions.open(id)
  if (id !== undefined && session !== undefined) call.open = { id, session }
  else if (isNavigation(request)) requiredSession(call)
}

function antiForgery(call: ApiCall): void {
  assertOwnPage(call, call.kind)
}

function requiredSession({ open, match, request, frontend }: ApiCall): void {
  if (open !== undefined || match.route.tokenType !== 'User') return
  // The cookie stays: taking it away here could hit the one that another tab's login has just set.
  throw sessionIdentifier(request.headers.cookie, frontend) === undefined
    ? new Refusal('bff.session.absent', 'log in first')
    : new Refusal('bff.session.ended', 'the session has ended; log in again')
}

function currentSession(call: ApiCall): Promise<void> | undefined {
  return call.open && keepSession(call, call.open, call.response)
}

function freshAccessToken(call: ApiCall): Promise<void> | undefined {
  const { match, frontend, open, response } = call
  const carry = ({ credentials, refreshed }: UserCredentials): void => {
    call.credentials = credentials
    if (refreshed) response?.setHeader('X-Bff-Session-Refreshed', 'true')
  }
  if (match.route.tokenType === 'Client')
    return frontend.tokens.ofClient(match.route).then((credentials) => carry({ credentials, refreshed: false }))
  if (open === undefined) return undefined
  const credentials = frontend.tokens.ofUser(open, match.route)
  if (credentials instanceof Promise) return credentials.then(carry)
  carry(credentials)
  return undefined
}

function exchangeOf(
  { frontend, client, requestId }: Call,
  match: RouteMatch,
  credentials: Credentials,
  held: Held | undefined,
): ForwardExchange {
  return { frontend: frontend.options, match, client, requestId, credentials, held }
}
