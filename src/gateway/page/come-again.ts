import type { IncomingMessage, ServerResponse } from 'node:http'
import { cookieValue } from '../../http/cookie.js'
import { html } from '../../http/page.js'
import { addTime, type RecentTimes, recentTimes } from '../endpoints/recent-times.js'
import type { Frontend } from '../frontend/frontend.js'
import { Refusal } from '../refusal.js'
import type { GatewayRequest, ProxiedRequest } from '../request.js'
import { sessionIdentifier } from '../session/koa-session.js'
import { isOpenedByPerson } from './navigation.js'
import { ownPage, textsFor } from './own-page.js'

/**
 * Whether a page of another site has sent a person to an address that only our own pages may ask for. The browser keeps the
 * session cookie (SameSite=Strict) to itself, so that nothing can be said yet: see {@link comeAgain}. Everything else of
 * another site's is refused.
 */
export function mustComeAgain({ request, frontend, route, kind }: ProxiedRequest): boolean {
  if (!isDocumentOfPerson(request)) return false
  const { cookie, 'sec-fetch-site': site } = request.headers
  // A page of a sibling host comes with the cookie, if there is one.
  const mayHaveSession = site === 'cross-site' || sessionIdentifier(cookie, frontend) !== undefined
  if (kind === 'page') return route.session === 'required' && lacksCookie({ request, frontend })
  if (route.tokenType === 'None' || route.requireCsrfHeader === true) return false
  return mayHaveSession || route.session !== 'required'
}

/** Whether a document is asked for from another site, whose browser keeps the cookie that would open it. */
export function lacksCookie({ request, frontend }: Pick<GatewayRequest, 'request' | 'frontend'>): boolean {
  const { cookie, 'sec-fetch-site': site } = request.headers
  return site === 'cross-site' && isDocumentOfPerson(request) && sessionIdentifier(cookie, frontend) === undefined
}

function isDocumentOfPerson(request: IncomingMessage): boolean {
  return request.headers['sec-fetch-dest'] === 'document' && isOpenedByPerson(request)
}

/** Seconds for which a browser that was sent again is asked before it is sent to the login. */
const window = 60
const visits = ({ linkCookie, cookieReach }: Frontend): RecentTimes => ({
  cookie: linkCookie,
  reach: cookieReach.login,
  window,
  most: 10,
})
/** So many within so many seconds are no person's: a browser that does not do what the page says. */
const tooOften = { times: 10, within: 5 }

/**
 * Answers with a page that opens the same address, fragment included, once more: now it is a page of ours that asks, and the
 * cookie comes along. The window that opened it has lost its hold on it by then (`Cross-Origin-Opener-Policy`).
 * @throws Refusal `bff.login.confirm` instead of sending a browser round and round
 */
export function comeAgain(
  { request, frontend, target, requestId }: GatewayRequest,
  response: ServerResponse,
  now: number,
): void {
  const { cookie } = request.headers
  const recent = recentTimes(cookie, visits(frontend), now).filter((time) => now - time < tooOften.within)
  if (recent.length >= tooOften.times)
    throw new Refusal('bff.login.confirm', 'Your browser says again and again that another site has sent you here.')
  addTime(cookie, response, visits(frontend), now)
  goOnFromHere(request, response, { frontend, requestId, url: target.path + target.query, script: sameAddress })
}

/** Whether the person at this address came by a link of another site, a moment ago: a login is begun when they say so. */
export function cameByLink({ headers }: IncomingMessage, { linkCookie }: Pick<Frontend, 'linkCookie'>): boolean {
  // An address that is typed is nobody else's idea.
  return headers['sec-fetch-site'] !== 'none' && cookieValue(headers.cookie, linkCookie) !== undefined
}

/** With the fragment, which only the browser knows. A replaced address, for to its own a page would only scroll. */
const sameAddress = `const on=document.getElementById('on');on.href+=location.hash;history.replaceState(null,'','/');location.replace(on.href)`
/** The same, where the address is the last parameter of another. */
const inParameter = `const on=document.getElementById('on');on.href+=encodeURIComponent(location.hash);location.replace(on.href)`
/** For a page that waits for the person, where its button leads back here. */
export const keepFragment = `const on=document.getElementById('on');if(/[?&]returnUrl=[^&]+$/.test(on.href))on.href+=encodeURIComponent(location.hash)`

interface Onward {
  readonly frontend: Frontend
  readonly requestId: string
  readonly url: string
  readonly script: string
}

/**
 * To the login by way of a page, which takes the fragment along: a redirect hands it to the sign-in page, whose form loses
 * it. For browsers; what only follows redirects gets one.
 * @param url with the return URL as its last parameter
 */
export function goToLogin(request: IncomingMessage, response: ServerResponse, onward: Omit<Onward, 'script'>): void {
  goOnFromHere(request, response, { ...onward, script: inParameter })
}

function goOnFromHere(
  request: IncomingMessage,
  response: ServerResponse,
  { frontend, requestId, url, script }: Onward,
): void {
  const texts = textsFor(request)
  const { headers, body } = ownPage(texts, frontend.branding ?? {}, {
    title: texts.oneMoment,
    script,
    head: html`<noscript><meta http-equiv="refresh" content="0; url=${url}"></noscript>`,
    content: html`<h1>${texts.oneMoment}</h1><p><a id="on" href="${url}">${texts.goOn}</a></p>`,
  })
  response.writeHead(200, { ...frontend.answerHeaders, 'X-Request-Id': requestId, ...headers })
  response.end(body)
}
