import type { IncomingMessage, ServerResponse } from 'node:http'
import { nameRequest } from '../telemetry/request-traces.js'
import { inSpan } from '../telemetry/spans.js'
import { assertPageAccess } from './access/page-access.js'
import { guardOf } from './access/stay.js'
import { isLoginInQuestion, sessionIsOfUse } from './endpoints/login-loop.js'
import { refusalOf } from './error-response.js'
import { reportRefused } from './forwarding/report.js'
import { assertOwnPage, isFromForeignPage } from './frontend/anti-forgery.js'
import type { AssertIdentity } from './identity/identity-assertion.js'
import { enterClosedPage } from './page/closed-page.js'
import { comeAgain, mustComeAgain } from './page/come-again.js'
import { isNavigation } from './page/navigation.js'
import type { Refused } from './page/refusal-page.js'
import { Refusal, statusOf } from './refusal.js'
import { type GatewayRequest, type ProxiedRequest, proxiedRequest } from './request.js'
import { destinationOf } from './routing/destination.js'
import { assertMethodAllowed } from './routing/route.js'
import { sessionIdentifier } from './session/koa-session.js'
import type { OpenSession } from './session/session-record.js'
import { keepSession } from './session/sliding-expiration.js'
import type { Needs, UserCredentials } from './tokens/access-tokens.js'

/** What is done with a request that may pass, by where it goes. */
export interface Delivery {
  endpoint(call: GatewayRequest, response: ServerResponse): Promise<void> | void
  page(call: GatewayRequest, response: ServerResponse): Promise<void> | void
  forward(call: ProxiedRequest, response: ServerResponse): Promise<void>
}

/** How a request comes, and how what may pass is delivered: what is between the two is the same for all. */
export interface Way {
  receive(request: IncomingMessage, requestId: string): GatewayRequest
  readonly delivery: Delivery
}

/** From the frontend on, whoever delivers it in the end. @throws Refusal */
export async function serve(
  call: GatewayRequest,
  response: ServerResponse,
  refused: Refused,
  delivery: Delivery,
): Promise<void> {
  const { request, frontend } = call
  // Before anything can be refused, so that a page on another host can read why.
  if (frontend.allowOrigin(request, response) === 'answered') return
  const destination = destinationOf(frontend, call.target)
  if (destination.kind === 'endpoint') return delivery.endpoint(call, response)
  if (destination.match === undefined) {
    const { requireLogin } = frontend.options
    if (requireLogin === 'Page' && (await enterClosedPage(call, response, frontend.now())) === 'answered') return
    if (frontend.access !== undefined) await assertPageAccess(call, frontend.access)
    return delivery.page(call, response)
  }
  const kind = call.isUpgrade === true && destination.kind === 'route' ? 'upgrade' : destination.kind
  const proxied = proxiedRequest(call, kind, destination.match, response)
  refused.call = proxied
  nameRequest(request, proxied.route.path)
  refused.needsHeader = destination.kind === 'route' && proxied.route.requireCsrfHeader === true
  if (isFromForeignPage(request) && mustComeAgain(proxied)) return comeAgain(proxied, response, frontend.now())
  await pass(proxied)
  await delivery.forward(proxied, response)
}

/** What is forwarded passes these, in this order: calls of an API, upgrades, a development server's pages. */
const steps: readonly ((call: ProxiedRequest) => Promise<void> | undefined | void)[] = [
  allowedMethod,
  openSession,
  antiForgery,
  requiredSession,
  rateLimits,
  sufficientSignIn,
  slideSession,
  accessToken,
  access,
  loginIsOfUse,
  watchSession,
]

/** @throws Refusal */
export async function pass(call: ProxiedRequest): Promise<void> {
  try {
    for (const step of steps) {
      const pending = step(call)
      // Most steps have nothing to wait for.
      if (pending !== undefined) await pending
    }
  } catch (error) {
    // An issuer or a store that does not answer is as much an outage of this route as its upstream's.
    const refusal = refusalOf(error)
    if (statusOf(refusal.code) >= 500) reportRefused(call, refusal)
    throw error
  }
}

function allowedMethod({ route, request }: ProxiedRequest): void {
  assertMethodAllowed(route, request.method ?? '')
}

/** Reads the session where the route looks at it. A person who only has to log in is sent there at once. */
async function openSession(call: ProxiedRequest): Promise<void> {
  const { request, frontend, route } = call
  if (route.session === 'none') return
  const id = sessionIdentifier(request.headers.cookie, frontend)
  const session = id === undefined ? undefined : await inSpan(request, 'session', () => frontend.sessions.open(id))
  if (id !== undefined && session !== undefined) {
    call.open = { id, session }
  } else if (isNavigation(request)) requiredSession(call)
}

function antiForgery(call: ProxiedRequest): void {
  assertOwnPage(call, call.kind, call.route)
}

function requiredSession({ open, route, request, frontend }: ProxiedRequest): void {
  if (open !== undefined || route.session !== 'required') return
  // One login for both.
  const options = { loginParameters: route.stepUp?.loginParameters }
  // The cookie stays: taking it away here could hit the one that another tab's login has just set.
  throw sessionIdentifier(request.headers.cookie, frontend) === undefined
    ? new Refusal('bff.session.absent', 'log in first', options)
    : new Refusal('bff.session.ended', 'the session has ended; log in again', options)
}

/** Before anything is asked of the authorization server, and before the call counts as use of the session. */
function sufficientSignIn({ open, route }: ProxiedRequest): void {
  if (open !== undefined && route.stepUp !== undefined) route.stepUp.assertMet(open.session)
}

/** Before anything is written or asked for: what is refused costs no more than its count. */
function rateLimits(call: ProxiedRequest): Promise<void> | undefined {
  return call.route.limitRate?.(call)
}

function slideSession(call: ProxiedRequest): Promise<void> | undefined {
  if (call.open === undefined || call.route.countsAsUse === false) return undefined
  return keepSession(call, call.open, call.response)
}

function accessToken(call: ProxiedRequest): Promise<void> | undefined {
  const { route, frontend, open, response } = call
  const carry = ({ credentials, refreshed }: UserCredentials): void => {
    call.credentials = credentials
    if (refreshed === undefined) return
    call.open = refreshed
    response?.setHeader('X-Bff-Session-Refreshed', 'true')
  }
  const { tokenType, audiences, assertIdentity } = route
  if (assertIdentity !== undefined) return open && assertedIdentity(call, open, assertIdentity)
  if (tokenType === 'Client' || (tokenType === 'UserOrClient' && open === undefined))
    return inSpan(call.request, 'access token', (trace) => frontend.tokens.ofClient(audiences.ofClient, trace)).then(
      (credentials) => carry({ credentials, refreshed: undefined }),
    )
  if (open === undefined || tokenType === 'None') return undefined
  const credentials = inSpan(call.request, 'access token', (trace) =>
    frontend.tokens.ofUser(open, audiences.ofUser, () => needsOf(call), trace),
  )
  if (credentials instanceof Promise) return credentials.then(carry)
  carry(credentials)
  return undefined
}

/** In place of the token, and as current as it: who may no longer get one has no identity here either. */
async function assertedIdentity(
  call: ProxiedRequest,
  open: OpenSession,
  assertIdentity: AssertIdentity,
): Promise<void> {
  call.open = await inSpan(call.request, 'access token', (trace) => call.frontend.tokens.current(open, trace))
  call.credentials = await assertIdentity(call.open.session)
}

/** What a refresh says counts where rules decide, and where it shows whether a login was of any use. */
function needsOf(call: ProxiedRequest): Needs {
  return call.route.mayIn !== undefined || isLoginInQuestion(call) ? 'claims' : 'token'
}

/** After the token, so that what a refresh has learnt about the user counts. A route that takes no token of theirs asks for it. */
function access(call: ProxiedRequest): Promise<void> | undefined {
  const { route, open, frontend } = call
  const { mayIn, tokenType } = route
  if (mayIn === undefined || open === undefined) return undefined
  if (tokenType === 'Client' || tokenType === 'None')
    return inSpan(call.request, 'access token', (trace) => frontend.tokens.current(open, trace)).then((current) => {
      call.open = current
      mayIn(current.session)
    })
  mayIn(open.session)
  return undefined
}

/** The call goes up with the user's token: the login has been worth it. */
function loginIsOfUse(call: ProxiedRequest): void {
  if (call.open !== undefined && call.response !== undefined && call.route.tokenType !== 'None')
    sessionIsOfUse(call, call.response)
}

function watchSession(call: ProxiedRequest): void {
  const { open, frontend, route, connection } = call
  if (open === undefined) return
  const guard = route.mayIn && guardOf(frontend, open, route.mayIn)
  call.held = frontend.watch.hold(open.session, connection, guard)
}
