import type { ServerResponse } from 'node:http'
import { cookieValue, removeCookie, setCookie } from '../../http/cookie.js'
import { isSameHost } from '../../http/host.js'
import type { Frontend } from '../frontend/frontend.js'
import { Refusal } from '../refusal.js'
import type { GatewayRequest } from '../request.js'

/** Logins in one browser within `window` seconds, none of them of use, after which another one is no person's doing. */
const maxLogins = 3
const window = 60

/** Counts a login that has succeeded, in the browser itself. */
export function countLogin({ request, frontend }: GatewayRequest, response: ServerResponse, now: number): void {
  const times = [...recentLogins(request.headers.cookie, frontend, now), Math.floor(now)].slice(-maxLogins)
  const value = times.map((time) => time.toString(36)).join('.')
  setCookie(response, frontend.loopCookie, value, { ...frontend.cookieReach.login, maxAge: window })
}

/** A session that is of use is no loop, however often its user logs in. Costs a look at the cookies and no more. */
export function sessionIsOfUse({ request, frontend }: GatewayRequest, response: ServerResponse): void {
  if (cookieValue(request.headers.cookie, frontend.loopCookie) !== undefined)
    removeCookie(response, frontend.loopCookie, frontend.cookieReach.login)
}

/** A person who logs out may log in again at once. */
export function forgetLogins({ frontend }: GatewayRequest, response: ServerResponse): void {
  removeCookie(response, frontend.loopCookie, frontend.cookieReach.login)
}

/**
 * Stops a browser that is sent to log in again and again although every login succeeds, and says why that may be.
 * @throws Refusal `bff.login.loop`
 */
export function assertNoLoop({ request, frontend, client }: GatewayRequest, hasSession: boolean, now: number): void {
  if (recentLogins(request.headers.cookie, frontend, now).length < maxLogins) return
  const { publicUrl } = frontend.options
  const cause = !isSameHost(client.host, publicUrl.host)
    ? `this page is at ${client.host}, but logins come back to ${publicUrl.host}, and cookies do not cross hosts`
    : hasSession
      ? 'the session is there, but it is refused at once: the clock of this server, the authorization server or the API may be wrong'
      : 'the browser does not send the session cookie back: it may block cookies, or the page may be framed by another site'
  throw new Refusal('bff.login.loop', `Three logins within a minute, and none of them lasted: ${cause}.`)
}

function recentLogins(cookieHeader: string | undefined, frontend: Frontend, now: number): number[] {
  const value = cookieValue(cookieHeader, frontend.loopCookie) ?? ''
  if (!/^[0-9a-z]{1,9}(?:\.[0-9a-z]{1,9}){0,2}$/.test(value)) return []
  return value
    .split('.')
    .map((time) => Number.parseInt(time, 36))
    .filter((time) => now - time < window && time <= now + 1)
}
