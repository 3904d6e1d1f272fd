import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { parameters, readFormBody, searchParameters } from '../../http/form-body.js'
import { html } from '../../http/page.js'
import { redirectSources } from '../../http/policy-source.js'
import { listOf } from '../../http/space-separated.js'
import type { EndpointUrls } from '../endpoint-urls.js'
import type { ClientOptions } from '../options.js'
import { type PageResponse, seeOther, withParameters } from '../pages/page-response.js'
import { formToken, formTokenFits, type SecretCookie } from '../sign-in/cookies.js'
import type { SignInSession, SignInSessions } from '../sign-in/sign-in-session.js'
import type { SessionEnd } from '../sign-in/sign-out.js'
import type { IdTokens } from '../tokens/id-token.js'

export interface EndSessionOptions {
  readonly issuer: string
  readonly urls: EndpointUrls
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly idTokens: IdTokens
  readonly sessions: SignInSessions
  readonly sessionEnd: SessionEnd
  readonly browserCookie: SecretCookie
  readonly response: PageResponse
}

/** A logout request whose members fit together. */
interface LogoutRequest {
  readonly client: ClientOptions | undefined
  /** Where to go afterwards. */
  readonly destination: string | undefined
  /** The session the client means, by ID token or by `sid`. */
  readonly sid: string | undefined
  readonly uiLocales: readonly string[]
  /** To post again with the confirmation. */
  readonly fields: Readonly<Record<string, string>>
}

const members = ['id_token_hint', 'logout_hint', 'client_id', 'post_logout_redirect_uri', 'state', 'ui_locales']

/** @see OpenID Connect RP-Initiated Logout 1.0 §2 */
export function endSession(options: EndSessionOptions): Koa.Middleware {
  const { urls, sessions, sessionEnd, browserCookie, response } = options
  return async function endSession(ctx) {
    const posted = ctx.method === 'POST' ? await readFormBody(ctx.req) : undefined
    const request = await checkRequest(options, posted ?? parameters(searchParameters(ctx.querystring)))
    ctx.state.clientId = request.client?.clientId
    const action = posted?.get('action')
    // Posted by another site, our cookies did not come along; by GET they do.
    if (posted !== undefined && action === undefined)
      return seeOther(ctx, withParameters(urls.endSession.href, request.fields))

    const session = await sessions.find(ctx)
    const browser = browserCookie.read(ctx)
    if (session === undefined) return leave(options, ctx, request)
    if (action !== undefined) {
      if (browser === undefined || !formTokenFits(posted?.get('form_token'), browser, 'end session', session.sid))
        return confirm(ctx, request, session)
      if (action !== 'sign-out') return showEnd(options, ctx, request, 'still signed in')
      return leave(options, ctx, request, await sessionEnd(ctx))
    }
    // Who names the session may end it; anybody else could be a link on a hostile page.
    const named = request.client !== undefined && request.sid === session.sid
    if (!named || !session.clients.includes(request.client?.clientId ?? '')) return confirm(ctx, request, session)
    return leave(options, ctx, request, await sessionEnd(ctx))
  }

  async function confirm(ctx: Koa.Context, request: LogoutRequest, session: SignInSession) {
    const texts = response.texts(ctx, request.uiLocales)
    const browser = browserCookie.read(ctx) ?? browserCookie.issue(ctx)
    const fields = { ...request.fields, form_token: formToken(browser, 'end session', session.sid) }
    const page = response.pages.signOut({ texts, action: urls.endSession.pathname, fields, username: session.username })
    response.show(
      ctx,
      texts,
      page,
      200,
      request.destination === undefined ? [] : redirectSources([request.destination]),
    )
  }
}

/** Seconds for which the frames of clients have the browser, before it goes on. */
const framesTime = 3

/** @param ended the session that has just ended here, if one has */
function leave(options: EndSessionOptions, ctx: Koa.Context, request: LogoutRequest, ended?: SignInSession): void {
  const { destination, fields } = request
  const frames = ended === undefined ? [] : framesOf(options, ended)
  if (frames.length > 0) leaveByFrames(options, ctx, request, frames)
  else if (destination === undefined) showEnd(options, ctx, request, 'signed out')
  else seeOther(ctx, withParameters(destination, { state: fields.state }))
}

/** One for each client of the session that has such a page. @see OpenID Connect Front-Channel Logout 1.0 §3 */
function framesOf({ issuer, clients }: EndSessionOptions, { clients: joined, sid }: SignInSession): readonly string[] {
  return joined.flatMap((clientId) => {
    const uri = clients.get(clientId)?.frontchannelLogoutUri
    return uri === undefined ? [] : [withParameters(uri, { iss: issuer, sid })]
  })
}

function leaveByFrames(
  { response }: EndSessionOptions,
  ctx: Koa.Context,
  { uiLocales, destination, fields }: LogoutRequest,
  frames: readonly string[],
): void {
  const texts = response.texts(ctx, uiLocales)
  const page = response.pages.signedOut({ texts, signedOut: true })
  if (destination === undefined) {
    response.showWithFrames(ctx, texts, page, frames)
    return
  }
  const url = withParameters(destination, { state: fields.state })
  ctx.set('Refresh', `${framesTime}; url=${url}`)
  const content = html`${page.content}<p><a class="button" href="${url}">${texts.goOn}</a></p>`
  response.showWithFrames(ctx, texts, { ...page, content }, frames)
}

function showEnd(
  { response }: EndSessionOptions,
  ctx: Koa.Context,
  { uiLocales }: LogoutRequest,
  end: 'signed out' | 'still signed in',
): void {
  const texts = response.texts(ctx, uiLocales)
  response.show(ctx, texts, response.pages.signedOut({ texts, signedOut: end === 'signed out' }))
}

async function checkRequest(
  { clients, idTokens }: EndSessionOptions,
  given: ReadonlyMap<string, string>,
): Promise<LogoutRequest> {
  const hintText = given.get('id_token_hint')
  const hint = hintText === undefined ? undefined : await idTokens.recognise(hintText)
  if (hintText !== undefined && hint === undefined) refuse('id_token_hint is not an ID token of this server')
  const clientId = given.get('client_id') ?? hint?.clientId
  if (hint !== undefined && hint.clientId !== clientId) refuse('client_id is not the client of id_token_hint')
  const client = clientId === undefined ? undefined : clients.get(clientId)
  if (clientId !== undefined && client === undefined) refuse('client_id is not a known client')

  if (client !== undefined && !client.permissions.endpoints.includes('end_session'))
    throw new ProtocolError('unauthorized_client', 'the client may not ask for logout')

  const destination = given.get('post_logout_redirect_uri')
  if (destination !== undefined && client === undefined)
    refuse('post_logout_redirect_uri needs client_id or id_token_hint')
  if (destination !== undefined && !client?.postLogoutRedirectUris?.includes(destination))
    refuse('post_logout_redirect_uri is not registered for the client')
  return {
    client,
    destination,
    sid: hint?.sid ?? given.get('logout_hint'),
    uiLocales: listOf(given.get('ui_locales')),
    fields: Object.fromEntries([...given].filter(([name]) => members.includes(name))),
  }
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_request', message)
}
