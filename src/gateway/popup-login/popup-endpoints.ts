import { cookieValue, removeCookie, setCookie } from '../../http/cookie.js'
import { readFormBody, searchParameters } from '../../http/form-body.js'
import { authorityParameter, chooseAuthorityOfWindow, withAuthorityOfSession } from '../endpoints/chosen-authority.js'
import { requestAuthorization, userOfStepUp } from '../endpoints/login.js'
import { transactionLifetime } from '../endpoints/login-transaction.js'
import { assertOwnWindow } from '../frontend/anti-forgery.js'
import { oneMoment } from '../page/passing-pages.js'
import { Refusal } from '../refusal.js'
import type { ProvisionedFrontend } from '../request.js'
import { type EndpointContext, setSessionCookie } from '../session/koa-session.js'
import type { PopupLogins } from './popup-logins.js'

/** `POST P/popup-login`: a frame begins to log in. Takes the parameters of a login link; answers with what goes into the window. */
export async function beginPopupLogin(ctx: EndpointContext): Promise<void> {
  const { call, open } = ctx.state
  const { frontend, target } = call
  const query = searchParameters(target.query)
  const user = await userOfStepUp(ctx, query)
  const { secret, ticket } = popupLoginsOf(frontend).begin({
    query: frontend.authorities === undefined ? target.query.slice(1) : `${withAuthorityOfSession(ctx, query)}`,
    formerSession: open?.session.key,
    user,
  })
  setCookie(ctx.res, frontend.popupCookie, secret, { ...frontend.cookieReach.session, maxAge: transactionLifetime })
  ctx.body = { ticket }
}

/**
 * `POST P/popup-login/window`: the frame's form, in a window of its own, where the authorization server's pages can be. By a
 * page and not a redirect: browsers hold redirects after a form to the `form-action` of the page that has sent it.
 */
export async function openPopupLogin(ctx: EndpointContext): Promise<void> {
  const { call, limits } = ctx.state
  ctx.state.call = { ...call, isForPerson: true }
  assertOwnWindow(call)
  const form = await readFormBody(ctx.req, { limit: 16_384 })
  const sealed = form.get('ticket') ?? ''
  const ticket = popupLoginsOf(call.frontend).read(sealed)
  if (ticket === undefined)
    throw new Refusal('bff.login.transaction_absent', 'This login was begun too long ago, or not by the application.')
  const { formerSession, user, challenge } = ticket
  const query = searchParameters(ticket.query)
  const choice = { ticket: sealed, choice: form.get(authorityParameter) }
  if (call.frontend.authorities !== undefined && chooseAuthorityOfWindow(ctx, query, choice) === 'answered') return
  await limits.login.take(call.client.address)
  const url = await requestAuthorization(ctx, { query, formerSession, user, popup: challenge })
  oneMoment(ctx, url.href)
}

/** `POST P/popup-login/session`: the frame asks for the session of its window's login, and gets it once. */
export async function completePopupLogin(ctx: EndpointContext): Promise<void> {
  const { call, open } = ctx.state
  const { frontend, request } = call
  const { sessions, popupCookie, cookieReach } = frontend
  const secret = cookieValue(request.headers.cookie, popupCookie)
  if (secret === undefined)
    throw new Refusal(
      'bff.login.transaction_absent',
      'No login was begun here, or the browser keeps no cookies in frames.',
    )
  const id = await popupLoginsOf(frontend).take(secret)
  if (id === undefined) {
    ctx.body = { authenticated: false }
    return
  }
  removeCookie(ctx.res, popupCookie, cookieReach.session)
  const session = await sessions.open(id)
  if (session === undefined) throw new Refusal('bff.session.ended', 'the session has ended meanwhile; log in again')
  if (open !== undefined && open.session.key !== session.key) await sessions.end(open.session, 'login', call.requestId)
  ctx.state.open = { id, session }
  setSessionCookie(ctx.res, frontend, ctx.state.open)
  ctx.body = { authenticated: true }
}

function popupLoginsOf({ popupLogins }: ProvisionedFrontend): PopupLogins {
  if (popupLogins === undefined) throw new TypeError('a frontend without frames has no endpoints for them')
  return popupLogins
}
