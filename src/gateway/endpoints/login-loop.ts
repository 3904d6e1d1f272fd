import type { ServerResponse } from 'node:http'
import { cookieValue, removeCookie } from '../../http/cookie.js'
import { isSameHost } from '../../http/host.js'
import type { Frontend } from '../frontend/frontend.js'
import { Refusal } from '../refusal.js'
import type { GatewayRequest } from '../request.js'
import { addTime, type RecentTimes, recentTimes } from './recent-times.js'

/** Logins in one browser within a minute, none of them of use, after which another one is no person's doing. */
const maxLogins = 3

const logins = ({ loopCookie: cookie, cookieReach }: Frontend): RecentTimes => ({
  cookie,
  reach: cookieReach.login,
  window: 60,
  most: maxLogins,
})

/** Counts a login that has succeeded, in the browser itself. */
export function countLogin({ request, frontend }: GatewayRequest, response: ServerResponse, now: number): void {
  addTime(request.headers.cookie, response, logins(frontend), now)
}

/** Whether no call since the login has shown that it was of use. Costs a look at the cookies and no more. */
export function isLoginInQuestion({ request, frontend }: GatewayRequest): boolean {
  return cookieValue(request.headers.cookie, frontend.loopCookie) !== undefined
}

/** A session that is of use is no loop, however often its user logs in. */
export function sessionIsOfUse(call: GatewayRequest, response: ServerResponse): void {
  const { loopCookie, cookieReach } = call.frontend
  if (isLoginInQuestion(call)) removeCookie(response, loopCookie, cookieReach.login)
}

/** A person who logs out may log in again at once. */
export function forgetLogins({ request, frontend }: GatewayRequest, response: ServerResponse): void {
  const { loopCookie, linkCookie, cookieReach } = frontend
  removeCookie(response, loopCookie, cookieReach.login)
  if (cookieValue(request.headers.cookie, linkCookie) !== undefined)
    removeCookie(response, linkCookie, cookieReach.login)
}

/**
 * Stops a browser that is sent to log in again and again although every login succeeds, and says why that may be.
 * @throws Refusal `bff.login.loop`
 */
export function assertNoLoop({ request, frontend, client }: GatewayRequest, hasSession: boolean, now: number): void {
  if (recentTimes(request.headers.cookie, logins(frontend), now).length < maxLogins) return
  const { publicUrl } = frontend.options
  const cause = !isSameHost(client.host, publicUrl.host)
    ? `this page is at ${client.host}, but logins come back to ${publicUrl.host}, and cookies do not cross hosts`
    : hasSession
      ? 'the session is there, but it is refused at once: the clock of this server, the authorization server or the API may be wrong'
      : 'the browser does not send the session cookie back: it may block cookies, or the page may be framed by another site'
  throw new Refusal('bff.login.loop', `Three logins within a minute, and none of them lasted: ${cause}.`)
}
