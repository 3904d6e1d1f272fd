import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type Client, maskedAddress } from '../http/trusted-peers.js'
import type { Access } from './access/access.js'
import type { Authorities } from './authorities/authorities.js'
import type { LoginDetails } from './endpoints/login-details.js'
import type { LoginTransactions } from './endpoints/login-transaction.js'
import type { Underway } from './forwarding/in-flight.js'
import type { CallKind } from './frontend/anti-forgery.js'
import type { Cors } from './frontend/cors.js'
import type { Frontend } from './frontend/frontend.js'
import type { OnLogin } from './hooks.js'
import type { OAuthClient } from './oauth/oauth-client.js'
import type { Page } from './page/page.js'
import type { PopupLogins } from './popup-login/popup-logins.js'
import type { RequestTarget } from './routing/request-target.js'
import type { MatchRoute, Route, RouteMatch } from './routing/route.js'
import type { ClientInfo } from './session/session-activity.js'
import type { OpenSession } from './session/session-record.js'
import type { SessionStore } from './session/session-store.js'
import type { Held, SessionWatch } from './session/session-watch.js'
import type { SessionsPerUser } from './session/sessions-per-user.js'
import type { StepUp } from './step-up/step-up.js'
import type { AccessTokens } from './tokens/access-tokens.js'
import type { Credentials } from './tokens/credentials.js'

/** Who brought a logout token, and the id of that request. */
export interface LogoutTokenSender {
  readonly network: string
  readonly requestId: string
}

/** A frontend, and what works for it. */
export interface ProvisionedFrontend extends Frontend {
  /** Its authorization server or, of a frontend with several as a whole, the first of them. */
  readonly oauth: OAuthClient
  /** The frontend as the client of each. Undefined where there is one. */
  readonly authorities: Authorities<ProvisionedFrontend> | undefined
  readonly sessions: SessionStore
  readonly watch: SessionWatch
  /** Undefined where there is no limit. */
  readonly sessionsPerUser: SessionsPerUser | undefined
  readonly transactions: LoginTransactions
  /** Undefined where nothing is embedded. */
  readonly popupLogins: PopupLogins | undefined
  readonly tokens: AccessTokens
  readonly stepUp: StepUp
  /** Undefined where logins ask for scopes alone. */
  readonly loginDetails: LoginDetails | undefined
  /** Which users may in: for pages, and part of what each route asks. Undefined: all. */
  readonly access: Access | undefined
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly routes: readonly Route[]
  readonly matchRoute: MatchRoute<Route>
  readonly page: Page<Route>
  readonly allowOrigin: Cors
  readonly onLogin: OnLogin | undefined
  /** Ends the sessions that a back-channel logout token names. */
  readonly acceptLogoutToken: (token: string, from: LogoutTokenSender) => Promise<void>
  /** Its requests, sockets and streams. */
  readonly underway: Underway
  /** Asks its authorization server and its upstreams what the first request would have to wait for. Never rejects. */
  warm(): Promise<void>
  /** Resolves when nothing that it has begun by itself is under way: refreshes, and what has come of them; revocations. */
  settled(): Promise<void>
  /** Stops its health checks, and gives back the connections to its upstreams. */
  close(): void
}

/** One request, as far as it is known once its frontend is: what every step works with. */
export interface GatewayRequest {
  readonly requestId: string
  readonly request: IncomingMessage
  readonly target: RequestTarget
  readonly frontend: ProvisionedFrontend
  readonly client: Client
  /** A page in a window, although it is no GET. */
  readonly isForPerson?: boolean
  /** The handshake of a WebSocket that a proxy asks about. */
  readonly isUpgrade?: boolean
}

/** A request of which the answer comes from an upstream. The steps fill it in, one after the other. */
export interface ProxiedRequest extends GatewayRequest, RouteMatch<Route> {
  readonly kind: CallKind
  /** Where the answer goes: closed when the browser has gone away. */
  readonly connection: ServerResponse | Socket
  /** Undefined for an upgrade. */
  readonly response: ServerResponse | undefined
  open: OpenSession | undefined
  credentials: Credentials
  /** Tells of the session's end. */
  held: Held | undefined
  /** What is under way to an upstream. Ended when the browser goes away. */
  current: Abortable | undefined
  readonly times: Times
}

export interface Abortable {
  destroy(reason?: Error): unknown
}

/** For the log's line and the metrics. Milliseconds of the monotonic clock; 0: not yet. */
export interface Times {
  readonly started: number
  /** Every step is passed: what follows is the upstream's time. */
  forwarded: number
  /** The head of the upstream's answer is there. */
  answered: number
  /** Bytes that had been written to the connection before. */
  readonly bytesBefore: number
}

/** What the steps begin with. */
export function proxiedRequest(
  { requestId, request, target, client, frontend }: GatewayRequest,
  kind: CallKind,
  { route, upstreamTarget, removedPrefix }: RouteMatch<Route>,
  connection: ServerResponse | Socket,
): ProxiedRequest {
  // Member by member: a spread here was measured to cost as much as all steps, and its garbage outlived the request.
  return {
    requestId,
    request,
    target,
    client,
    frontend,
    route,
    upstreamTarget,
    removedPrefix,
    kind,
    connection,
    response: connection instanceof ServerResponse ? connection : undefined,
    open: undefined,
    credentials: { kind: 'none' },
    held: undefined,
    current: undefined,
    times: { started: performance.now(), forwarded: 0, answered: 0, bytesBefore: request.socket.bytesWritten },
  }
}

/** What a sticky route knows a caller by, and what open streams are counted by: the session or, without one, the address. */
export function visitorOf({ open, client }: Pick<ProxiedRequest, 'open' | 'client'>): string {
  return open?.session.key ?? client.address
}

/** What a session's list shows of the caller. */
export function clientInfoOf({ client, request }: GatewayRequest): ClientInfo {
  return { address: maskedAddress(client.address), userAgent: (request.headers['user-agent'] ?? '').slice(0, 200) }
}
