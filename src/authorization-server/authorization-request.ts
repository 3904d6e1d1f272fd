import { createHash } from 'node:crypto'
import type Koa from 'koa'
import { ProtocolError, unreachable } from '../errors.js'
import { parameters, readFormBody } from '../http/form-body.js'
import type { IsTrustedPeer } from '../http/trusted-peers.js'
import { clientOf } from '../http/trusted-peers.js'
import { publish } from '../telemetry/events.js'
import type { AuthorizationCodes } from './authorization-code.js'
import { type AuthorizationDecision, decide } from './authorization-decision.js'
import type { Consents } from './consents.js'
import { formToken, formTokenFits, type SecretCookie } from './cookies.js'
import type { EndpointUrls } from './endpoint-urls.js'
import type { Grants } from './grant.js'
import type { ClientOptions } from './options.js'
import { type PageResponse, seeOther, withParameters } from './page-response.js'
import type { Interaction, PushedAuthorizationRequest, PushedRequests } from './pushed-authorization-request.js'
import type { SessionEnd } from './session-end.js'
import type { SignIn } from './sign-in.js'
import type { SignInSession, SignInSessions } from './sign-in-session.js'
import type { UserDirectory } from './users.js'

export interface AuthorizationRequestOptions {
  readonly issuer: string
  readonly urls: EndpointUrls
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly pushedRequests: PushedRequests
  readonly sessions: SignInSessions
  readonly sessionEnd: SessionEnd
  readonly signIn: SignIn
  readonly users: UserDirectory
  readonly consents: Consents
  readonly grants: Grants
  readonly codes: AuthorizationCodes
  readonly browserCookie: SecretCookie
  readonly response: PageResponse
  readonly isTrustedPeer: IsTrustedPeer
  /** What scopes are called, by name. */
  readonly scopeNames: ReadonlyMap<string, string>
  /** Seconds. */
  readonly lifetimes: { readonly code: number; readonly interaction: number }
  readonly now: () => number
}

/** A pushed request that this browser may go on with. */
interface OpenRequest {
  readonly requestUri: string
  readonly request: PushedAuthorizationRequest
  readonly revision: string
  readonly client: ClientOptions
}

/** The authorization endpoint. @see {@link https://www.rfc-editor.org/rfc/rfc9126#section-4 RFC 9126 §4}, OpenID Connect Core §3.1.2 */
export function authorizationRequest(options: AuthorizationRequestOptions): Koa.Middleware {
  return async function authorizationRequest(ctx) {
    if (ctx.method === 'POST') return answerForm(options, ctx)
    const open = await openRequest(options, ctx, pushedReference(new URLSearchParams(ctx.querystring)))
    const session = await currentSession(options, ctx)
    await proceed(options, ctx, open, await decision(options, open.request, session))
  }
}

/** Whatever else is in the query was pushed or does not count (RFC 9101 §6.3): it is not even looked at. */
function pushedReference(search: URLSearchParams): ReadonlyMap<string, string> {
  const relevant = [...search].filter(([name]) => name === 'client_id' || name === 'request_uri')
  return parameters(new URLSearchParams(relevant))
}

async function openRequest(
  { clients, pushedRequests, browserCookie, now }: AuthorizationRequestOptions,
  ctx: Koa.Context,
  reference: ReadonlyMap<string, string>,
): Promise<OpenRequest> {
  const [clientId, requestUri] = [reference.get('client_id'), reference.get('request_uri')]
  if (requestUri === undefined) refuse('invalid_request', 'the request was not pushed: request_uri is missing')
  if (clientId === undefined) refuse('invalid_request', 'client_id is missing')
  ctx.state.clientId = clients.has(clientId) ? clientId : undefined
  const record = await pushedRequests.get(requestUri)
  const client = clients.get(clientId)
  if (record === undefined || client === undefined)
    refuse('invalid_request_uri', 'request_uri is unknown, was used, or has expired')
  const { value: request, revision } = record
  if (request.clientId !== clientId) refuse('invalid_request_uri', 'request_uri belongs to another client')
  const browser = browserCookie.read(ctx)
  const known = browser !== undefined && request.interaction.browsers.includes(hash(browser))
  if (now() >= request.openBy && !known) refuse('invalid_request_uri', 'request_uri has expired')
  return { requestUri, request, revision, client }
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

async function decision(
  { consents, now }: AuthorizationRequestOptions,
  request: PushedAuthorizationRequest,
  session: SignInSession | undefined,
): Promise<AuthorizationDecision> {
  const consented = session !== undefined && (await consents.covers(session.subject, request.clientId, request.scopes))
  return decide(request, session, consented, now())
}

async function proceed(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  open: OpenRequest,
  next: AuthorizationDecision,
): Promise<void> {
  switch (next.kind) {
    case 'sign-in':
      return showSignIn(options, ctx, open, open.request.loginHint ?? '')
    case 'consent':
      return showConsent(options, ctx, open, next.session)
    case 'authorize':
      return authorize(options, ctx, open, next.session)
    case 'refuse':
      return refuseByRedirect(options, ctx, open, new ProtocolError(next.code, next.reason))
    default:
      return unreachable(next)
  }
}

/** The form of the sign-in or the consent page comes back. */
async function answerForm(options: AuthorizationRequestOptions, ctx: Koa.Context): Promise<void> {
  const form = await readFormBody(ctx.req)
  const [clientId = '', requestUri = ''] = [form.get('client_id'), form.get('request_uri')]
  const action = form.get('action')
  // OpenID Connect Core §3.1.2.1: a request may be posted. By GET our cookies come along.
  const again = withParameters(options.urls.authorization.href, { client_id: clientId, request_uri: requestUri })
  if (action === undefined) return seeOther(ctx, again)

  const open = await openRequest(options, ctx, form)
  const browser = options.browserCookie.read(ctx)
  const session = await currentSession(options, ctx)
  // Of another site, another request, another user, or a page from before a change of users: shown again as things are.
  const ours =
    browser !== undefined &&
    ctx.get('Sec-Fetch-Site') !== 'cross-site' &&
    formTokenFits(form.get('form_token'), browser, requestUri, session?.sid ?? '')
  if (!ours) return seeOther(ctx, again)

  switch (action) {
    case 'cancel':
      return refuseByRedirect(options, ctx, open, new ProtocolError('access_denied', 'the user cancelled'))
    case 'sign-in':
      return signIn(options, ctx, open, session, form)
    case 'switch-user':
      await interact(options, open, { switchingUser: true })
      return seeOther(ctx, again)
    case 'allow': {
      const next = await decision(options, open.request, session)
      if (next.kind !== 'consent') return proceed(options, ctx, open, next)
      await options.consents.remember(next.session.subject, open.client.clientId, open.request.scopes)
      publish({ type: 'as.consent.given', client: open.client.clientId, subject: next.session.subject })
      return authorize(options, ctx, open, next.session)
    }
    default:
      return refuse('invalid_request', 'the form has no such button')
  }
}

async function signIn(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  open: OpenRequest,
  session: SignInSession | undefined,
  form: ReadonlyMap<string, string>,
): Promise<void> {
  const { sessions, sessionEnd, isTrustedPeer, response } = options
  const username = form.get('username') ?? ''
  const outcome = await options.signIn(username, form.get('password') ?? '', {
    address: clientOf(ctx.req, isTrustedPeer).address,
    clientId: open.client.clientId,
    acrValues: open.request.acrValues,
  })
  const texts = response.texts(ctx, open.request.uiLocales)
  switch (outcome.kind) {
    case 'limited':
      ctx.set('Retry-After', String(outcome.retryAfter))
      return showSignIn(options, ctx, open, username, texts.limited(Math.ceil(outcome.retryAfter / 60)), 429)
    case 'failed':
      return showSignIn(options, ctx, open, username, texts.wrongCredentials)
    case 'signed-in': {
      const same = session?.subject === outcome.user.subject
      if (session !== undefined && !same) await sessionEnd(ctx)
      const { sid } = await sessions.start(ctx, username, outcome.user, same ? session : undefined)
      await interact(options, open, { signedInto: sid, switchingUser: false })
      return seeOther(ctx, selfUrl(options, open))
    }
    default:
      return unreachable(outcome)
  }
}

/** The end of the request: it is taken, so of any number of tries one gets a code. */
async function authorize(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  { requestUri }: OpenRequest,
  session: SignInSession,
): Promise<void> {
  const { issuer, pushedRequests, sessions, grants, codes, lifetimes, now } = options
  const request = await pushedRequests.take(requestUri)
  if (request === undefined) refuse('invalid_request_uri', 'request_uri is unknown, was used, or has expired')
  const { clientId, redirectUri, codeChallenge, scopes, resources, state, nonce, jkt } = request
  if (!(await sessions.join(ctx, clientId))) refuse('invalid_request', 'the session has ended meanwhile')
  const { subject, claims, sid, authTime, amr, acr } = session
  const user = { subject, claims, sid, authTime, amr, ...(acr !== undefined && { acr }) }
  const grantId = await grants.start({ clientId, scopes, resources, user }, now() + lifetimes.code)
  const code = await codes.issue({
    grantId,
    clientId,
    redirectUri,
    codeChallenge,
    ...(nonce !== undefined && { nonce }),
    ...(jkt !== undefined && { jkt }),
  })
  publish({ type: 'as.code.issued', client: clientId, subject })
  seeOther(ctx, withParameters(redirectUri, { code, state, iss: issuer }))
}

async function refuseByRedirect(
  { issuer, pushedRequests }: AuthorizationRequestOptions,
  ctx: Koa.Context,
  { requestUri }: OpenRequest,
  { code, message }: ProtocolError,
): Promise<void> {
  const request = await pushedRequests.take(requestUri)
  if (request === undefined) refuse('invalid_request_uri', 'request_uri is unknown, was used, or has expired')
  publish({ type: 'as.request.refused', endpoint: 'authorization', client: request.clientId, code, reason: message })
  const answer = { error: code, error_description: message, state: request.state, iss: issuer }
  seeOther(ctx, withParameters(request.redirectUri, answer))
}

async function showSignIn(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  open: OpenRequest,
  username: string,
  problem?: string,
  status = 200,
): Promise<void> {
  const { response } = options
  const texts = response.texts(ctx, open.request.uiLocales)
  const session = await currentSession(options, ctx)
  const page = response.pages.signIn({
    ...(await formOf(options, ctx, open, session)),
    texts,
    client: nameOf(open.client),
    username,
    ...(problem !== undefined && { problem }),
  })
  response.show(ctx, texts, page, status, formAction(open.client))
}

async function showConsent(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  open: OpenRequest,
  session: SignInSession,
): Promise<void> {
  const { response, scopeNames } = options
  const texts = response.texts(ctx, open.request.uiLocales)
  const page = response.pages.consent({
    ...(await formOf(options, ctx, open, session)),
    texts,
    client: nameOf(open.client),
    username: session.username,
    host: new URL(open.request.redirectUri).host,
    scopes: open.request.scopes.map((name) => ({
      name,
      displayName: scopeNames.get(name) ?? (Object.hasOwn(texts.scopes, name) ? (texts.scopes[name] ?? name) : name),
    })),
  })
  response.show(ctx, texts, page, 200, formAction(open.client))
}

/** Where the form goes and what it carries; from here on this browser has time to answer. */
async function formOf(
  options: AuthorizationRequestOptions,
  ctx: Koa.Context,
  open: OpenRequest,
  session: SignInSession | undefined,
) {
  const { browserCookie, urls } = options
  const browser = browserCookie.read(ctx) ?? browserCookie.issue(ctx)
  if (!open.request.interaction.browsers.includes(hash(browser)))
    await interact(options, open, { browsers: [...open.request.interaction.browsers.slice(-7), hash(browser)] })
  return {
    action: urls.authorization.pathname,
    fields: {
      client_id: open.client.clientId,
      request_uri: open.requestUri,
      form_token: formToken(browser, open.requestUri, session?.sid ?? ''),
    },
  }
}

/** Writes down what happened. A request that was completed meanwhile is not written back. */
async function interact(
  { pushedRequests, lifetimes, now }: AuthorizationRequestOptions,
  { requestUri }: OpenRequest,
  change: Partial<Interaction>,
): Promise<void> {
  for (;;) {
    const record = await pushedRequests.get(requestUri)
    if (record === undefined) refuse('invalid_request_uri', 'request_uri is unknown, was used, or has expired')
    const { value, revision } = record
    const changed = { ...value, interaction: { ...value.interaction, ...change } }
    const expiresAt = Math.max(value.openBy, now() + lifetimes.interaction)
    if (await pushedRequests.replace(requestUri, revision, changed, expiresAt)) return
  }
}

function selfUrl({ urls }: AuthorizationRequestOptions, { client, requestUri }: OpenRequest): string {
  return withParameters(urls.authorization.href, { client_id: client.clientId, request_uri: requestUri })
}

function nameOf({ clientId, displayName = clientId }: ClientOptions): string {
  return displayName
}

/**
 * Chromium holds every redirect after a form to `form-action`, also those that the client makes on its own site or on to
 * the page it serves elsewhere. We cannot know them all; that they are https, or loopback in development, we can.
 */
function formAction({ redirectUris }: ClientOptions): readonly string[] {
  const loopback = redirectUris.some((uri) => uri.startsWith('http:'))
  return loopback ? ['https:', 'http://localhost:*', 'http://127.0.0.1:*', 'http://[::1]:*'] : ['https:']
}

function hash(browser: string): string {
  return createHash('sha256').update(browser).digest('base64url')
}

function refuse(code: 'invalid_request' | 'invalid_request_uri', message: string): never {
  throw new ProtocolError(code, message)
}
