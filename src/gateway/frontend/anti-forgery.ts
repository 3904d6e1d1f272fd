import type { IncomingMessage } from 'node:http'
import { routeDefaults } from '../defaults.js'
import { endpointPaths, popupWindowPath } from '../endpoints/endpoint-paths.js'
import { isOpenedByPerson } from '../page/navigation.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions } from '../route-options.js'
import type { Frontend } from './frontend.js'

/** The header that only our own page's script adds: another site's would need a CORS permission we do not give. */
export const antiForgeryHeader = 'x-csrf'

/** A call of an API or an endpoint, a WebSocket's handshake, or what makes up a page. */
export type CallKind = 'route' | 'upgrade' | 'page'

/** What a route says of its calls. */
export type ForgeryRule = Pick<RouteOptions, 'tokenType' | 'requireCsrfHeader'>

/** Of what changes something: the gateway's own endpoints. */
const everyCall: ForgeryRule = { tokenType: 'User', requireCsrfHeader: true }

/**
 * Whether it is our own page that calls: the one place where this is decided, for every kind of route and endpoint.
 * Browsers write `Sec-Fetch-*` and `Origin` themselves; no page can forge them.
 * @throws Refusal `bff.csrf.cross_site`, `bff.csrf.header_missing`
 */
export function assertOwnPage(
  { request, frontend }: { readonly request: IncomingMessage; readonly frontend: Pick<Frontend, 'pageOrigins'> },
  kind: CallKind,
  { tokenType, requireCsrfHeader = routeDefaults.requireCsrfHeader }: ForgeryRule = everyCall,
): void {
  const onlyReads = request.method === 'GET' || request.method === 'HEAD'
  // Files of a page: a person opens them from anywhere.
  if (kind === 'page' && onlyReads) return
  // Nothing of the user's goes along that another page could use: webhooks, monitors and public pages.
  const isPublic = tokenType === 'None' && !requireCsrfHeader
  if (kind === 'route' && isPublic) return
  const { origin, 'sec-fetch-site': site, [antiForgeryHeader]: header } = request.headers
  const ownOrigin = origin !== undefined && frontend.pageOrigins.has(origin)
  if (origin !== undefined && !ownOrigin)
    throw new Refusal('bff.csrf.cross_site', 'the call comes from a page of another origin')
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !ownOrigin)
    throw new Refusal('bff.csrf.cross_site', 'the call comes from a page of another site')
  // A page cannot add headers to a WebSocket's handshake, but its browser always names the origin: no CORS stands before it.
  if (kind === 'upgrade' && (ownOrigin || isPublic)) return
  // A form of the page's own has no headers of ours either; it goes to what serves the page, without a session or token.
  if (kind === 'page' && (ownOrigin || site === 'same-origin')) return
  if (kind === 'route' && onlyReads && !requireCsrfHeader && isOwnReading(request, ownOrigin)) return
  if (header !== '1') throw new Refusal('bff.csrf.header_missing', 'add the header "X-CSRF: 1" to every call')
}

/**
 * Pictures, downloads, event streams, frames and typed addresses cannot carry a header; what browsers say of them is as good
 * for what changes nothing. A program that says nothing has no such excuse.
 * @param ownOrigin `Origin` is a page's of ours: it asks by CORS, which a page on another host has to
 */
function isOwnReading(request: IncomingMessage, ownOrigin: boolean): boolean {
  const { 'sec-fetch-site': site, 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = request.headers
  // A service worker stays in the browser after the logout, and answers in the API's place.
  if (site === undefined || destination === 'serviceworker') return false
  if (site === 'same-origin' || ownOrigin) return true
  return site === 'none' && mode === 'navigate' && destination === 'document' && isOpenedByPerson(request)
}

/**
 * The rule of an endpoint that only our own page may call: what changes something. Where the cookie comes from other sites as
 * well, what tells of the session is another one: without `SameSite` a stranger's page could measure the answer.
 */
export function forgeryRuleOf(
  { base, options }: Pick<Frontend, 'base' | 'options'>,
  method: string,
  path: string,
): ForgeryRule | undefined {
  // Back-channel logout is the authorization server's own call: its token says who it is.
  if (path === `${base}${endpointPaths.backchannelLogout}` && method !== 'GET') return undefined
  // A form into another window has no header; `assertOwnWindow` looks closer.
  if (path === `${base}${popupWindowPath}` && options.embedding !== undefined) return undefined
  if (method !== 'GET') return everyCall
  const tells = path === `${base}${endpointPaths.user}` || path === `${base}${endpointPaths.sessions}`
  return tells && options.embedding !== undefined ? { tokenType: 'User', requireCsrfHeader: false } : undefined
}

/**
 * A form that a page of ours has posted into a window of its own. The browser has to say all of it: what comes without
 * `Sec-Fetch-*`, from a link or from another page, could be there to make a user's session another browser's.
 * @throws Refusal `bff.csrf.cross_site`, `bff.navigation.required`
 */
export function assertOwnWindow({
  request: { headers },
  frontend,
}: {
  readonly request: IncomingMessage
  readonly frontend: Pick<Frontend, 'origin'>
}): void {
  if (headers.origin !== frontend.origin || headers['sec-fetch-site'] !== 'same-origin')
    throw new Refusal('bff.csrf.cross_site', 'the window was not opened by a page of this application')
  if (headers['sec-fetch-mode'] !== 'navigate' || headers['sec-fetch-dest'] !== 'document')
    throw new Refusal('bff.navigation.required', 'this address is for a window that a page opens')
}

/** @throws Refusal `bff.navigation.required` */
export function assertNavigation(request: IncomingMessage): void {
  if (!isOpenedByPerson(request))
    throw new Refusal('bff.navigation.required', 'this address is for a person to open, by a link or location.assign()')
}

/**
 * A GET that changes something: a person has opened it from a page of ours or by hand, and not because another site sent
 * them here, which they are asked about first (FAPI 2.0 §5.3.3.1-12). The one place where this is decided.
 * @throws Refusal `bff.navigation.required` or what asks the person
 */
export function assertMeant(
  { request, frontend }: { readonly request: IncomingMessage; readonly frontend: Pick<Frontend, 'pageOrigins'> },
  question: { readonly code: 'bff.login.confirm' | 'bff.logout.confirm'; readonly detail: string },
): void {
  assertNavigation(request)
  if (!isFromOwnPage(request, frontend)) throw new Refusal(question.code, question.detail)
}

/** Whether the browser says that another origin's page has to do with the request, sibling hosts included. */
export function isFromForeignPage({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  return site === 'cross-site' || site === 'same-site'
}

/** What no page has sent, an address typed or a bookmark, is the person's own as well. */
export function isFromOwnPage({ headers }: IncomingMessage, { pageOrigins }: Pick<Frontend, 'pageOrigins'>): boolean {
  const { 'sec-fetch-site': site, referer } = headers
  if (site === 'same-origin' || site === 'none') return true
  // A navigation has no Origin. What a page can do about its Referer is to leave it out.
  if (referer === undefined) return site === undefined
  return URL.canParse(referer) && pageOrigins.has(new URL(referer).origin)
}
