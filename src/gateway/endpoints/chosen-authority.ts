import { cookieValue, setCookie } from '../../http/cookie.js'
import { html } from '../../http/page.js'
import { assertNavigation } from '../frontend/anti-forgery.js'
import { authorityPage } from '../page/authority-page.js'
import type { GatewayRequest, ProvisionedFrontend } from '../request.js'
import type { EndpointContext } from '../session/koa-session.js'
import { popupWindowPath } from './endpoint-paths.js'
import { ignore, once } from './login-parameters.js'
import { safeReturnUrl } from './return-url.js'

/** Parameter of a login link. The link is ours: authorization requests do not have it. */
export const authorityParameter = 'authority'

/**
 * Which of a frontend's authorization servers a login goes to: that of the session, where its user has to sign in once more, or
 * the one of the link. Without either the person is asked.
 * @returns `chosen`: the call is now that of the frontend as the client of this server
 */
export async function chooseAuthority(ctx: EndpointContext, query: URLSearchParams): Promise<'chosen' | 'answered'> {
  const { call } = ctx.state
  const chosen = authorityOfSession(ctx, query) ?? authorityOfLink(call, query) ?? authorityInSilence(ctx, query)
  if (chosen !== undefined) {
    ctx.state.call = { ...call, frontend: chosen }
    return 'chosen'
  }
  assertNavigation(ctx.req)
  if (isSilent(query)) {
    // A silent login may not ask the user, and no server is known that could say that the user is not signed in.
    ctx.status = 303
    ctx.set('Location', safeReturnUrl(once(query, 'returnUrl'), call.frontend) ?? call.frontend.home)
  } else
    authorityPage(ctx, {
      last: lastAuthority(call)?.authority?.name,
      entry: ({ name }, look, text) =>
        html`<a class="${look}" href="${loginLink(call.frontend, query, name)}">${text}</a>`,
    })
  return 'answered'
}

/** The same login, at this server. */
function loginLink({ loginUrl }: ProvisionedFrontend, query: URLSearchParams, name: string): string {
  const chosen = new URLSearchParams(query)
  chosen.set(authorityParameter, name)
  return `${loginUrl}?${chosen}`
}

/**
 * The same for a window that a frame has opened. The ticket says whose the frame's session is, where that has to be met, and the
 * window posts what its person has chosen.
 */
export function chooseAuthorityOfWindow(
  ctx: EndpointContext,
  query: URLSearchParams,
  { ticket, choice }: { readonly ticket: string; readonly choice: string | undefined },
): 'chosen' | 'answered' {
  const { call } = ctx.state
  const { frontend } = call
  const chosen = authorityOfLink(call, query) ?? frontend.authorities?.named(choice)
  if (chosen !== undefined) {
    ctx.state.call = { ...call, frontend: chosen }
    return 'chosen'
  }
  authorityPage(ctx, {
    last: lastAuthority(call)?.authority?.name,
    entry: ({ name }, look, text) =>
      html`<form method="post" action="${frontend.base}${popupWindowPath}"><input type="hidden" name="ticket" value="${ticket}"><button class="${look}" name="${authorityParameter}" value="${name}">${text}</button></form>`,
  })
  return 'answered'
}

/** What a frame's login has to say of its session, for a window that does not have its cookie. */
export function withAuthorityOfSession(ctx: EndpointContext, query: URLSearchParams): URLSearchParams {
  const own = authorityOfSession(ctx, query)?.authority
  if (own !== undefined) query.set(authorityParameter, own.name)
  return query
}

/** Only the server that knows the user can ask for more of them. */
function authorityOfSession(ctx: EndpointContext, query: URLSearchParams): ProvisionedFrontend | undefined {
  const { call, open } = ctx.state
  const { authorities, stepUp } = call.frontend
  if (open === undefined || stepUp.requirementsIn(query) === undefined) return undefined
  const own = authorities?.of(open.session.record)
  if (query.has(authorityParameter) && query.get(authorityParameter) !== own?.authority?.name)
    ignore(call, authorityParameter, 'the session is of another one, and its user has to sign in there')
  return own
}

function authorityOfLink(call: GatewayRequest, query: URLSearchParams): ProvisionedFrontend | undefined {
  if (!query.has(authorityParameter)) return undefined
  const chosen = call.frontend.authorities?.named(once(query, authorityParameter))
  if (chosen === undefined) ignore(call, authorityParameter, 'Authorities does not have it')
  return chosen
}

/** `prompt=none` asks whether the user is signed in: there, where they were last. */
function authorityInSilence({ state }: EndpointContext, query: URLSearchParams): ProvisionedFrontend | undefined {
  if (!isSilent(query)) return undefined
  const { call, open } = state
  return open === undefined ? lastAuthority(call) : call.frontend.authorities?.of(open.session.record)
}

function isSilent(query: URLSearchParams): boolean {
  return once(query, 'prompt') === 'none'
}

function lastAuthority({ request, frontend }: GatewayRequest): ProvisionedFrontend | undefined {
  return frontend.authorities?.named(cookieValue(request.headers.cookie, frontend.authorityCookie))
}

/**
 * Remembers where the user has signed in, for the next time that they are asked: it only comes first there, and is never gone to
 * without a click. Until the browser is closed: on a shared computer it tells the next user something of this one.
 */
export function rememberAuthority(ctx: EndpointContext): void {
  const { authority, authorityCookie, cookieReach } = ctx.state.call.frontend
  if (authority !== undefined) setCookie(ctx.res, authorityCookie, authority.name, cookieReach.login)
}
