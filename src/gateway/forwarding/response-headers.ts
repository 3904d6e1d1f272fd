import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { isOwnCookie } from '../../http/cookie.js'
import { hopByHop, namedByConnection } from './headers.js'
import type { UpstreamResponse } from './upstream-response.js'

/** What an API may not say to a browser through us, because it would speak for the frontend's whole origin. */
const notForBrowsers = new Set([
  'alt-svc',
  'clear-site-data',
  'dpop-nonce',
  'public-key-pins',
  'server',
  'service-worker-allowed',
  'strict-transport-security',
  'x-powered-by',
])

export interface ResponseFacts {
  /** Whether the call carried a token: then no shared cache may keep the answer. */
  readonly personal: boolean
  /** Maps a `Location` of the upstream's own to the browser's view of it. */
  readonly publicLocation: (location: string) => string
}

/**
 * The flat header list of the response that goes to the browser: what may pass, then what has been set on `response`
 * before, which wins. `Set-Cookie` and `Vary` of both sides add up; `Content-Length` stays, for it is checked by the parser.
 */
export function responseHeaders(
  upstream: UpstreamResponse,
  response: ServerResponse,
  { personal, publicLocation }: ResponseFacts,
): string[] {
  const { rawHeaders } = upstream
  const dropped = namedByConnection(upstream.headers.connection)
  const ours = response.getHeaders()
  const flat: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    const lower = name.toLowerCase()
    if (!mayReachBrowser(lower, value, upstream.headers) || dropped?.has(lower)) continue
    if (lower in ours && lower !== 'set-cookie' && lower !== 'vary') continue
    if (lower === 'cache-control') continue
    flat.push(name, lower === 'location' || lower === 'content-location' ? publicLocation(value) : value)
  }
  for (const name in ours) {
    const value = ours[name]
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) flat.push(name, String(one))
  }
  if (!('cache-control' in ours)) {
    const caching = cacheControl(upstream.headers, personal)
    if (caching !== undefined) flat.push('Cache-Control', caching)
  }
  if (!('x-content-type-options' in ours) && !('x-content-type-options' in upstream.headers))
    flat.push('X-Content-Type-Options', 'nosniff')
  return flat
}

/** The headers of a 101, for http-proxy to write: two are of this connection and have to go on it (RFC 6455 §4.2.2). */
export function upgradeResponseHeaders({ headers }: IncomingMessage): IncomingHttpHeaders {
  const passed: IncomingHttpHeaders = { connection: 'Upgrade', upgrade: 'websocket' }
  for (const name in headers) {
    const value = headers[name]
    if (name === 'set-cookie' || !/^[a-z0-9-]+$/.test(name) || typeof value !== 'string') continue
    if (mayReachBrowser(name, value, headers)) passed[name] = value
  }
  const cookies = headers['set-cookie']?.filter((cookie) => mayReachBrowser('set-cookie', cookie, headers))
  if (cookies !== undefined && cookies.length > 0) passed['set-cookie'] = cookies
  return passed
}

function mayReachBrowser(name: string, value: string, all: IncomingHttpHeaders): boolean {
  if (name === 'content-length') return all['transfer-encoding'] === undefined
  if (hopByHop.has(name) || notForBrowsers.has(name) || name.startsWith('access-control-')) return false
  if (name === 'set-cookie') return !isOwnCookie(value)
  // Anything else makes a browser ask for a password in our name.
  if (name === 'www-authenticate') return /^(?:DPoP|Bearer)\b/i.test(value)
  return true
}

/**
 * A shared cache keeps no answer to a request with `Authorization` unless told so (RFC 9111 §3.5). The browser's request
 * has none, so we say it in its stead.
 */
function cacheControl(headers: IncomingHttpHeaders, personal: boolean): string | undefined {
  const theirs = headers['cache-control']
  if (!personal) return theirs
  if (theirs === undefined) return headers.expires === undefined ? 'no-store' : 'private'
  return /\b(?:public|private|no-store|s-maxage|must-revalidate)\b/i.test(theirs) ? theirs : `${theirs}, private`
}
