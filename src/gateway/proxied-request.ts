import type { ServerResponse } from 'node:http'
import { sessionIsOfUse } from './endpoints/login-loop.js'
import { assertOwnPage, type CallKind } from './frontend/anti-forgery.js'
import { isNavigation } from './page/navigation.js'
import { Refusal } from './refusal.js'
import type { GatewayRequest } from './request.js'
import { assertMethodAllowed, type RouteMatch } from './routing/route.js'
import { sessionIdentifier } from './session/koa-session.js'
import type { OpenSession } from './session/session-record.js'
import { keepSession } from './session/sliding-expiration.js'
import type { UserCredentials } from './tokens/access-tokens.js'
import type { Credentials } from './tokens/credentials.js'

/** What is forwarded, on its way: what the steps before have found out. */
export interface ProxiedRequest extends GatewayRequest {
  readonly match: RouteMatch
  readonly kind: CallKind
  /** Undefined for an upgrade. */
  readonly response: ServerResponse | undefined
  open: OpenSession | undefined
  credentials: Credentials
}

export function allowedMethod({ match, request }: ProxiedRequest): void {
  assertMethodAllowed(match.route, request.method ?? '')
}

/** Reads the session where the route looks at it. A person who only has to log in is sent there at once. */
export async function openSession(call: ProxiedRequest): Promise<void> {
  const { request, frontend, match } = call
  if (match.route.tokenType !== 'User' && match.route.tokenType !== 'UserOrNone') return
  const id = sessionIdentifier(request.headers.cookie, frontend)
  const session = id === undefined ? undefined : await frontend.sessions.open(id)
  if (id !== undefined && session !== undefined) call.open = { id, session }
  else if (isNavigation(request)) requiredSession(call)
}

export function antiForgery(call: ProxiedRequest): void {
  assertOwnPage(call, call.kind)
}

export function requiredSession({ open, match, request, frontend }: ProxiedRequest): void {
  if (open !== undefined || match.route.tokenType !== 'User') return
  // The cookie stays: taking it away here could hit the one that another tab's login has just set.
  throw sessionIdentifier(request.headers.cookie, frontend) === undefined
    ? new Refusal('bff.session.absent', 'log in first')
    : new Refusal('bff.session.ended', 'the session has ended; log in again')
}

export function currentSession(call: ProxiedRequest): Promise<void> | undefined {
  return call.open && keepSession(call, call.open, call.response)
}

export function freshAccessToken(call: ProxiedRequest): Promise<void> | undefined {
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

/** The call goes up with the user's token: the login has been worth it. */
export function sessionOfUse(call: ProxiedRequest): void {
  if (call.open !== undefined && call.response !== undefined) sessionIsOfUse(call, call.response)
}
