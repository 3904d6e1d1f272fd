import { randomBytes } from 'node:crypto'
import { searchParameters } from '../../http/form-body.js'
import { publish } from '../../telemetry/events.js'
import { ofAuthority } from '../authorities/authorities.js'
import { assertMeant } from '../frontend/anti-forgery.js'
import type { FrontendOptions } from '../options.js'
import type { GatewayRequest } from '../request.js'
import type { EndpointContext } from '../session/koa-session.js'
import { forgetOtherCookie } from '../session/other-cookie.js'
import { requirementsOf } from '../step-up/requirements.js'
import { userHash } from '../step-up/returned.js'
import { chooseAuthority } from './chosen-authority.js'
import { assertNoLoop } from './login-loop.js'
import { authorizationParameters, ignore, once } from './login-parameters.js'
import { deriveLoginSecrets } from './login-secrets.js'
import type { LoginTransaction } from './login-transaction.js'
import { refuseLogin } from './refuse-login.js'
import { maxReturnUrlLength, safeReturnUrl } from './return-url.js'

const foreignLink = {
  code: 'bff.login.confirm',
  detail: 'A page of another site has sent you here to sign in.',
} as const

/** `GET P/login`: pushes an authorization request bound to this browser and sends the browser on. */
export async function login(ctx: EndpointContext): Promise<void> {
  const { call, open, limits } = ctx.state
  const query = searchParameters(call.target.query)
  if (call.frontend.authorities !== undefined && (await chooseAuthority(ctx, query)) === 'answered') return
  assertMeant(call, foreignLink)
  assertNoLoop(call, open !== undefined, ctx.state.now())
  await limits.login.take(call.client.address)

  const user = await userOfStepUp(ctx, query)
  const url = await requestAuthorization(ctx, { query, formerSession: open?.session.key, user })
  forgetOtherCookie(ctx.state.call, ctx.res)
  ctx.status = 303
  ctx.set('Location', url.href)
}

/** Counts a step-up that begins. @returns who has to sign in; undefined: anybody may. @throws Refusal `bff.login.loop` */
export async function userOfStepUp({ state }: EndpointContext, query: URLSearchParams): Promise<string | undefined> {
  const { stepUp } = state.call.frontend
  if (state.open === undefined || stepUp.requirementsIn(query) === undefined) return undefined
  const { session } = state.open
  await stepUp.begin(session)
  return session.record.subject && userHash(session.record.subject)
}

export interface WantedLogin extends Pick<LoginTransaction, 'formerSession' | 'user' | 'popup'> {
  /** Of the login link. */
  readonly query: URLSearchParams
}

/** Pushes an authorization request that only this browser can complete. @returns where the browser goes with it */
export async function requestAuthorization(
  ctx: EndpointContext,
  { query, formerSession, user, popup }: WantedLogin,
): Promise<URL> {
  const { call } = ctx.state
  const { frontend, requestId } = call
  const { options, oauth, transactions } = frontend
  const parameters = authorizationParameters(call, query, frontend.stepUp.requirementsIn(query))
  const [state, seed] = [random(), random()]
  const authorizationUrl = await oauth
    .forRequest(requestId)
    .pushAuthorizationRequest({ state, ...deriveLoginSecrets(seed, options), parameters })
    .catch(refuseLogin)
  transactions.begin(ctx.req.headers.cookie, ctx.res, {
    state,
    seed,
    returnUrl: returnUrlOf(call, query),
    silent: parameters.prompt === 'none',
    formerSession,
    requestId,
    asked: requirementsOf(parameters),
    user,
    popup,
    authority: frontend.authority?.name ?? issuerToRemember(options),
  })
  publish({ type: 'gateway.login.started', frontend: frontend.name, requestId, ...ofAuthority(frontend) })
  return authorizationUrl
}

/** Where answers do not have to say whose they are, the login has to: the configuration may name another server by then. */
function issuerToRemember({ requireIssuer, authority }: FrontendOptions): string | undefined {
  return requireIssuer ? undefined : authority
}

function random(): string {
  return randomBytes(32).toString('base64url')
}

function returnUrlOf(call: GatewayRequest, query: URLSearchParams): string {
  const value = once(query, 'returnUrl')
  const safe = safeReturnUrl(value, call.frontend)
  if (safe !== undefined) return safe
  const isTooLong = value !== undefined && value.length > maxReturnUrlLength
  const reason = isTooLong ? `it is longer than ${maxReturnUrlLength} characters` : 'it is no page of this application'
  if (query.has('returnUrl'))
    ignore(call, 'returnUrl', value === undefined ? 'it is empty, or comes more than once' : reason)
  return call.frontend.home
}
