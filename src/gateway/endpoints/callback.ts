import { publish } from '../../telemetry/events.js'
import { continueOrigin } from '../../telemetry/request-origin.js'
import { noteTrace } from '../../telemetry/request-traces.js'
import { ofAuthority } from '../authorities/authorities.js'
import { assertNavigation, isFromOwnPage } from '../frontend/anti-forgery.js'
import type { ExpectedResponse, OAuthClient } from '../oauth/oauth-client.js'
import { ServerRefusal } from '../oauth/oauth-error.js'
import { serverWords } from '../oauth/server-words.js'
import type { TokenSet } from '../oauth/token-set.js'
import type { UserInfo } from '../oauth/user-info.js'
import { lastPageOfWindow, oneMoment } from '../page/passing-pages.js'
import { Refusal } from '../refusal.js'
import type { ProvisionedFrontend } from '../request.js'
import type { EndpointContext } from '../session/koa-session.js'
import { sessionClaims, userInfoDue } from '../session/session-claims.js'
import type { SessionRecord } from '../session/session-record.js'
import { authenticationOf, type Requirements, textOf } from '../step-up/requirements.js'
import { assertAsAsked, notMet, userHash } from '../step-up/returned.js'
import { admitted } from './admission.js'
import { assertIssuer, authorizationResponse } from './authorization-response.js'
import { beginSession } from './begin-session.js'
import { rememberAuthority } from './chosen-authority.js'
import { countLogin } from './login-loop.js'
import { deriveLoginSecrets, type LoginSecrets } from './login-secrets.js'
import type { LoginTransaction } from './login-transaction.js'
import { loginUrlTo } from './login-url.js'
import { refuseLogin } from './refuse-login.js'

/** `GET P/callback`: the authorization response becomes a session, or an answer that says why not. */
export async function callback(ctx: EndpointContext): Promise<void> {
  assertNavigation(ctx.req)
  const response = await authorizationResponse(ctx)
  const state = response.get('state')
  if (state === null) throw new Refusal('bff.request.malformed', 'the authorization response has no "state"')
  const found = ctx.state.call.frontend.transactions.find(ctx.req.headers.cookie, state)
  if (found.kind !== 'open') return late(ctx, found)
  const { transaction } = found
  // Before anything is spent: what another server says about this login is nothing to it.
  continueAtAuthority(ctx, transaction, response.get('iss'))
  const { frontend } = ctx.state.call
  continueAs(ctx, transaction.requestId)
  if (!(await found.use()))
    return late(ctx, { kind: 'spent', returnUrl: isOfOther(ctx, transaction) ? frontend.home : transaction.returnUrl })

  const error = response.get('error')
  if (error !== null) {
    // `prompt=none`: not being signed in is what was to be found out.
    if (transaction.silent)
      return transaction.popup === undefined ? goTo(ctx, transaction.returnUrl) : lastPageOfWindow(ctx)
    throw refusedByServer(error, response.get('error_description'))
  }
  if (!response.has('code')) throw new Refusal('bff.login.failed', 'the authorization response has no "code"')

  const secrets = deriveLoginSecrets(transaction.seed, frontend.options)
  const oauth = frontend.oauth.forRequest(transaction.requestId)
  const tokens = await redeem(oauth, frontend, response, { state, ...secrets })
  try {
    assertAsAsked(transaction, tokens.claims)
  } catch (error) {
    // A page that asks at once again is stopped as any other login that is of no use.
    countLogin(ctx.state.call, ctx.res, ctx.state.now())
    throw error
  }
  const userInfo = await readUserInfo(oauth, frontend, tokens, secrets, transaction.requestId)
  const now = ctx.state.now()
  const confirmed = { ...sessionRecord(tokens, userInfo, secrets, transaction.asked, now), ...serverOf(frontend) }
  const record = await admitted({ ...frontend, oauth }, confirmed, transaction.requestId)
  const { session } = await beginSession(ctx, record, transaction)
  const isOfFrame = transaction.popup !== undefined
  if (!isOfFrame) countLogin(ctx.state.call, ctx.res, now)
  rememberAuthority(ctx)
  publish({
    type: 'gateway.login.completed',
    frontend: frontend.name,
    requestId: transaction.requestId,
    subject: record.subject ?? '',
    session: session.handle,
    stepUp: transaction.user !== undefined,
    refreshable: record.refreshToken !== undefined,
    ...ofAuthority(frontend),
  })
  if (isOfFrame) lastPageOfWindow(ctx)
  else goTo(ctx, transaction.returnUrl)
}

/** One login has one request id, from its beginning to its end. */
function continueAs(ctx: EndpointContext, requestId: string): void {
  continueOrigin('gateway', ctx.state.call.requestId, requestId)
  noteTrace(ctx.req, 'gateway', requestId)
  ctx.state.call = { ...ctx.state.call, requestId }
  ctx.set('X-Request-Id', requestId)
}

/** @throws Refusal `bff.login.issuer_mismatch`, `bff.login.transaction_absent` */
function continueAtAuthority(ctx: EndpointContext, { authority }: LoginTransaction, issuer: string | null): void {
  const { call } = ctx.state
  const { authorities, options } = call.frontend
  if (
    authorities === undefined &&
    (options.requireIssuer || authority === undefined || authority === options.authority)
  )
    return
  const asked = authorities?.named(authority)
  if (asked === undefined)
    throw new Refusal('bff.login.transaction_absent', 'The service where this login was begun is not there any more.')
  ctx.state.call = { ...call, frontend: asked }
  assertIssuer(issuer, asked)
}

/** Whose tokens they are: the configuration may have another server tomorrow. */
function serverOf({ authority: named, options: { authority, clientId } }: ProvisionedFrontend) {
  return { server: { ...(named !== undefined && { name: named.name }), authority, clientId } }
}

/** A page that waits to go on with a step-up of one user's session is not for the next user of this browser. */
function isOfOther({ state: { open } }: EndpointContext, { user }: LoginTransaction): boolean {
  return user !== undefined && open !== undefined && userHash(open.session.record.subject ?? '') !== user
}

type Late =
  | { readonly kind: 'spent' | 'displaced'; readonly returnUrl: string }
  | { readonly kind: 'absent'; readonly returnUrl?: undefined }

/**
 * A callback that has come too late or once too often. A user who is logged in goes where that tab wanted to go; a login
 * that only had to give way to newer ones begins again.
 */
async function late(ctx: EndpointContext, { kind, returnUrl }: Late): Promise<void> {
  const { call, limits } = ctx.state
  const { frontend, client } = call
  if (ctx.state.open !== undefined) goTo(ctx, returnUrl ?? frontend.home)
  else if (!isFromOwnPage(ctx.req, frontend)) comeAgain(ctx)
  else if (kind === 'displaced') goTo(ctx, loginUrlTo(frontend, { returnUrl }))
  else {
    await limits.callback.take(client.address)
    throw new Refusal('bff.login.transaction_absent', lateReasons[kind])
  }
}

const lateReasons = {
  spent: 'This login was completed or given up before.',
  absent: 'This login was begun too long ago, in another browser, or in one that does not keep cookies.',
}

/**
 * On a redirect from the authorization server's site the browser keeps the session cookie (SameSite=Strict) to itself.
 * The same address opened from a page of ours comes with it, and with another `Sec-Fetch-Site`: this happens once.
 */
function comeAgain(ctx: EndpointContext): void {
  const { path, query } = ctx.state.call.target
  oneMoment(ctx, path + query)
}

/** Its words go to the log; a person sees no more than a name that the standards define. */
function refusedByServer(error: string, description: string | null): Refusal {
  const cause = new ServerRefusal(serverWords(error, description), 'the authorization server ended the login')
  // OpenID Connect Core Error Code unmet_authentication_requirements 1.0
  if (error === 'unmet_authentication_requirements') return notMet('acr', { cause })
  if (error === 'access_denied') return new Refusal('bff.login.denied', 'Access was denied at the sign-in.', { cause })
  const name = cause.code === error ? ` (${error})` : ''
  return new Refusal('bff.login.failed', `The authorization server ended the login${name}.`, { cause })
}

async function redeem(
  oauth: OAuthClient,
  frontend: ProvisionedFrontend,
  response: URLSearchParams,
  expected: ExpectedResponse,
): Promise<TokenSet> {
  const url = new URL(frontend.redirectUri)
  url.search = response.toString()
  return oauth.redeemCode(url, expected).catch(refuseLogin)
}

/** The login does not depend on it: what cannot be used is told to the operator. */
async function readUserInfo(
  oauth: OAuthClient,
  frontend: ProvisionedFrontend,
  { accessToken, claims: { sub } = {} }: TokenSet,
  { proofKey }: LoginSecrets,
  requestId: string,
): Promise<UserInfo> {
  if (typeof sub !== 'string') return { kind: 'none' }
  const userInfo = await oauth.userInfo(accessToken.value, sub, proofKey).catch(refuseLogin)
  if (userInfo.kind === 'unusable' || userInfo.kind === 'unavailable')
    publish({ type: 'gateway.userinfo.unusable', frontend: frontend.name, requestId, reason: userInfo.reason })
  return userInfo
}

function sessionRecord(
  { accessToken, claims = {}, ...tokens }: TokenSet,
  userInfo: UserInfo,
  { proofKey, nonce }: LoginSecrets,
  asked: Requirements | undefined,
  now: number,
): SessionRecord {
  const { sub, sid, session_expiry: sessionExpiry } = claims
  const said = userInfo.kind === 'claims' ? userInfo.claims : undefined
  return {
    createdAt: Math.floor(now),
    ...(typeof sub === 'string' && { subject: sub }),
    ...(typeof sid === 'string' && { sid }),
    ...(typeof sessionExpiry === 'number' && { sessionExpiry }),
    ...(nonce !== undefined && { nonce }),
    ...(proofKey !== undefined && { proofKey }),
    claims: sessionClaims({ idToken: claims, userInfo: said }),
    ...(said !== undefined && { userInfo: said }),
    ...(userInfo.kind === 'unavailable' && { userInfoDue: userInfoDue(now) }),
    authentication: authenticationOf(claims),
    ...(asked !== undefined && { askedFor: textOf(asked) }),
    accessTokens: { '': accessToken },
    ...tokens,
  }
}

function goTo(ctx: EndpointContext, url: string): void {
  ctx.status = 303
  ctx.set('Location', url)
}
