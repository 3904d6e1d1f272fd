import type { IncomingMessage } from 'node:http'
import type { Frontend } from './frontend.js'
import { Refusal } from './refusal.js'

/** The header that only our own page's script adds: another site's would need a CORS permission we do not give. */
export const antiForgeryHeader = 'x-csrf'

/**
 * Whether it is our own page that calls: the one place where this is decided, for every kind of route and endpoint.
 * Browsers write `Sec-Fetch-Site` and `Origin` themselves; no page can forge them.
 * @throws Refusal `bff.csrf.cross_site`, `bff.csrf.header_missing`
 */
export function assertOwnPage(
  { request, frontend }: { readonly request: IncomingMessage; readonly frontend: Pick<Frontend, 'pageOrigins'> },
  kind: 'request' | 'upgrade',
): void {
  const { origin, 'sec-fetch-site': site, [antiForgeryHeader]: header } = request.headers
  const ownOrigin = origin !== undefined && frontend.pageOrigins.has(origin)
  if (origin !== undefined && !ownOrigin)
    throw new Refusal('bff.csrf.cross_site', 'the call comes from a page of another origin')
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !ownOrigin)
    throw new Refusal('bff.csrf.cross_site', 'the call comes from a page of another site')
  // A page cannot add headers to a WebSocket's handshake, but its browser always names the origin.
  if (kind === 'upgrade' && ownOrigin) return
  if (header !== '1') throw new Refusal('bff.csrf.header_missing', 'add the header "X-CSRF: 1" to every call')
}

/** Which of the gateway's own endpoints only our own page may call: those that change something. */
export function changesState({ base }: Pick<Frontend, 'base'>, method: string, path: string): boolean {
  // Back-channel logout is the authorization server's own call: its token says who it is.
  return method !== 'GET' && path !== `${base}/backchannel-logout`
}
