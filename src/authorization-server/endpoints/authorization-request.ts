import type Koa from 'koa'
import { ProtocolError, unreachable } from '../../errors.js'
import { parameters, readFormBody, searchParameters } from '../../http/form-body.js'
import { clientOf, type IsTrustedPeer } from '../../http/trusted-peers.js'
import { publish } from '../../telemetry/events.js'
import type { EndpointUrls } from '../endpoint-urls.js'
import { type AuthorizationDecision, decide } from '../interaction/authorization-decision.js'
import type { AuthorizationPages } from '../interaction/authorization-pages.js'
import type { AuthorizationResponse } from '../interaction/authorization-response.js'
import type { Consents } from '../interaction/consents.js'
import { type ErrorRedirectionOptions, errorRedirection } from '../interaction/error-redirection.js'
import type { Interactions, OpenRequest } from '../interaction/interaction.js'
import { seeOther, withParameters } from '../pages/page-response.js'
import { CookieNotKept, formTokenFits, type SecretCookie } from '../sign-in/cookies.js'
import type { SignIn } from '../sign-in/sign-in.js'
import type { SignInSession, SignInSessions } from '../sign-in/sign-in-session.js'
import type { SessionEnd } from '../sign-in/sign-out.js'
import type { UserDirectory } from '../sign-in/users.js'

export interface AuthorizationRequestOptions extends ErrorRedirectionOptions {
  readonly urls: EndpointUrls
  readonly interactions: Interactions
  readonly sessions: SignInSessions
  readonly users: UserDirectory
  readonly consents: Consents
  readonly signIn: SignIn
  readonly sessionEnd: SessionEnd
  readonly authorizationPages: AuthorizationPages
  readonly authorizationResponse: AuthorizationResponse
  readonly browserCookie: SecretCookie
  readonly isTrustedPeer: IsTrustedPeer
  readonly now: () => number
}

/** The authorization endpoint. @see {@link https://www.rfc-editor.org/rfc/rfc9126#section-4 RFC 9126 §4}, OpenID Connect Core §3.1.2 */
export function authorizationRequest(options: AuthorizationRequestOptions): Koa.Middleware {
  return async function authorizationRequest(ctx) {
    if (ctx.method === 'POST') return answerForm(options, ctx)
    const search = searchParameters(ctx.querystring)
    const open = await opened(options, ctx, search)
    if (typeof open === 'string') return seeOther(ctx, open)
    // Link previews look with HEAD: that must not be what the request ends with.
    if (ctx.method === 'HEAD') ctx.status = 200
    else await proceed(options, ctx, open, await currentSession(options, ctx))
  }
}

/** Whatever else is in the query was pushed or does not count (RFC 9101 §6.3): it is not even looked at. */
function reference(search: URLSearchParams): ReadonlyMap<string, string> {
  const relevant = [...search].filter(([name]) => name === 'client_id' || name === 'request_uri' || name === 'request')
  const all = parameters(new URLSearchParams(relevant))
  assertOneRequest(all)
  return all
}

/**
 * A request object and a reference are two requests: it would not be clear which of them the user allows.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9101#section-5 RFC 9101 §5}, OpenID Connect Core §6.1
 */
function assertOneRequest(given: ReadonlyMap<string, string>): void {
  if (given.has('request') && given.has('request_uri'))
    throw new ProtocolError('invalid_request', 'request and request_uri are both there: the request was pushed already')
}

/** The pushed request, or where the client hears that there is none. */
async function opened(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  search: URLSearchParams,
): Promise<OpenRequest | string> {
  try {
    return await options.interactions.open(ctx, reference(search))
  } catch (error) {
    const elsewhere = await errorRedirection(options, ctx, search, error)
    if (elsewhere === undefined) throw error
    return elsewhere
  }
}

/** The session with the claims of now; a user who is gone has none. */
async function currentSession(
  { sessions, users }: AuthorizationRequestOptions,
  ctx: Koa.Context,
): Promise<SignInSession | undefined> {
  const session = await sessions.find(ctx)
  const claims = session === undefined ? undefined : await users.find(session)
  return session === undefined || claims === undefined ? undefined : { ...session, claims }
}

async function proceed(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  open: OpenRequest,
  session: SignInSession | undefined,
): Promise<void> {
  const { authorizationPages, authorizationResponse } = options
  const next = await decision(options, open, session)
  switch (next.kind) {
    case 'sign-in':
      return authorizationPages.signIn(ctx, { open, session, username: open.request.loginHint ?? '' })
    case 'consent':
      return authorizationPages.consent(ctx, open, next.session)
    case 'authorize':
      return authorizationResponse.authorize(ctx, open, next.session)
    case 'refuse':
      return authorizationResponse.refuse(ctx, open, new ProtocolError(next.code, next.reason))
    default:
      return unreachable(next)
  }
}

async function decision(
  { consents, now }: AuthorizationRequestOptions,
  { request }: OpenRequest,
  session: SignInSession | undefined,
): Promise<AuthorizationDecision> {
  const { clientId, scopes, target, authorizationDetails } = request
  // Details are asked about each time: one payment that was allowed allows no other.
  const consented =
    session !== undefined &&
    authorizationDetails === undefined &&
    (await consents.covers(session.subject, clientId, { scopes, resources: target.resources }))
  return decide(request, session, consented, now())
}

/** The form of the sign-in or the consent page comes back. */
async function answerForm(options: AuthorizationRequestOptions, ctx: Koa.Context): Promise<void> {
  const { interactions, browserCookie, authorizationResponse } = options
  const form = await readFormBody(ctx.req)
  assertOneRequest(form)
  const [clientId = '', requestUri = ''] = [form.get('client_id'), form.get('request_uri')]
  const again = withParameters(options.urls.authorization.href, { client_id: clientId, request_uri: requestUri })
  const action = form.get('action')
  // OpenID Connect Core §3.1.2.1: a request may be posted. By GET our cookies come along.
  if (action === undefined) return seeOther(ctx, again)

  // Of another site: our cookies did not come along, or should not have.
  if (isOfOtherSite(ctx, options.urls.authorization)) return seeOther(ctx, again)
  const browser = browserCookie.read(ctx)
  if (browser === undefined) throw new CookieNotKept()
  const open = await interactions.open(ctx, form)
  const session = await currentSession(options, ctx)
  // Of another request, another user, or from before a change of users: shown again as things are now.
  if (!formTokenFits(form.get('form_token'), browser, requestUri, session?.sid ?? '')) return seeOther(ctx, again)

  switch (action) {
    case 'cancel':
      return authorizationResponse.refuse(ctx, open, new ProtocolError('access_denied', 'the user cancelled'))
    case 'sign-in':
      return signIn(options, ctx, { open, session, form, again })
    case 'switch-user':
      await interactions.switchUser(open)
      return seeOther(ctx, again)
    case 'allow':
      return allow(options, ctx, open, session)
    default:
      throw new ProtocolError('invalid_request', 'the form has no such button')
  }
}

/** By what browsers say of it, or where they are too old for that, by Origin. */
function isOfOtherSite(ctx: Koa.Context, own: URL): boolean {
  const site = ctx.get('Sec-Fetch-Site')
  if (site !== '') return site === 'cross-site'
  const origin = ctx.get('Origin')
  // Our pages send no referrer, and so perhaps "null" for an origin.
  return origin !== '' && origin !== 'null' && origin !== own.origin
}

interface SignInAnswer {
  readonly open: OpenRequest
  readonly session: SignInSession | undefined
  readonly form: ReadonlyMap<string, string>
  /** Where the request goes on. */
  readonly again: string
}

async function signIn(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  { open, session, form, again }: SignInAnswer,
): Promise<void> {
  const { interactions, sessions, sessionEnd, isTrustedPeer, authorizationPages } = options
  const username = form.get('username') ?? ''
  const context = {
    address: clientOf(ctx.req, isTrustedPeer).address,
    requestId: ctx.state.requestId,
    clientId: open.client.clientId,
    acrValues: open.request.acrValues,
  }
  const outcome = await options.signIn(username, form.get('password') ?? '', context, () => ctx.res.destroyed)
  switch (outcome.kind) {
    case 'limited':
    case 'busy':
    case 'failed':
      return authorizationPages.signIn(ctx, { open, session, username, problem: outcome })
    case 'signed-in': {
      const same = session?.subject === outcome.user.subject
      if (session !== undefined && !same) await sessionEnd(ctx)
      const { sid } = await sessions.start(ctx, username, outcome.user, same ? session : undefined)
      await interactions.signedIn(open, sid)
      return seeOther(ctx, again)
    }
    default:
      return unreachable(outcome)
  }
}

/** What the user agreed to may have changed under the page, a session that had to be fresh may be stale: decided anew. */
async function allow(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  open: OpenRequest,
  session: SignInSession | undefined,
): Promise<void> {
  const next = await decision(options, open, session)
  if (next.kind !== 'consent') return proceed(options, ctx, open, session)
  const { subject } = next.session
  const { clientId, scopes, target } = open.request
  await options.consents.remember(subject, clientId, { scopes, resources: target.resources })
  publish({ type: 'as.consent.given', requestId: ctx.state.requestId, client: clientId, subject })
  return options.authorizationResponse.authorize(ctx, open, next.session)
}
