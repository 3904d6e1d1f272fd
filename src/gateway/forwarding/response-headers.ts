import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { isOwnCookie } from '../../http/cookie.js'
import { refusesFrames } from '../frontend/embedding.js'
import { personalCacheControl } from './cache-control.js'
import { isTokenChallenge } from './challenge.js'
import { decideResponseField } from './fields.js'
import { namedByConnection } from './headers.js'
import { isEventStream, type UpstreamResponse } from './upstream-response.js'

export interface ResponseFacts {
  readonly requestId: string
  /** `Strict-Transport-Security` of the frontend. */
  readonly transportSecurity?: string | undefined
  /** Who may frame it. Policies add up: one of the API's own can only say no to more. */
  readonly framePolicy?: string | undefined
  /** Whether the route looks at a session or a token: then no shared cache may keep the answer. */
  readonly personal: boolean
  /** Maps a `Location` of the upstream's own to the browser's view of it. */
  readonly publicLocation: (location: string) => string
  /** The same for its cookies. */
  readonly publicCookie: (cookie: string) => string
}

/**
 * The flat header list of the response that goes to the browser: what may pass, then what has been set on `response`
 * before, which wins. `Set-Cookie`, `Vary` and the limits of both sides add up; `Content-Length` stays, for it is checked by the parser.
 */
export function responseHeaders(
  upstream: UpstreamResponse,
  response: ServerResponse,
  { personal, requestId, publicLocation, publicCookie, transportSecurity, framePolicy }: ResponseFacts,
): string[] {
  const { rawHeaders, headers } = upstream
  const dropped = namedByConnection(headers.connection)
  const ours = response.getHeaders()
  const setsOurCookie = 'set-cookie' in ours
  const flat: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    const lower = name.toLowerCase()
    if (!mayReachBrowser(lower, value, headers, personal || setsOurCookie) || dropped?.has(lower)) continue
    if (lower in ours && !addsUp(lower)) continue
    switch (lower) {
      case 'cache-control':
      case 'x-request-id':
        continue
      case 'location':
      case 'content-location':
        flat.push(name, publicLocation(value))
        continue
      case 'set-cookie':
        flat.push(name, publicCookie(value))
        continue
      default:
        flat.push(name, value)
    }
  }
  for (const name in ours) {
    const value = ours[name]
    if (name === 'access-control-expose-headers') flat.push(name, exposed(String(value), headers))
    else for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) flat.push(name, String(one))
  }
  if (!('cache-control' in ours)) {
    const theirs = headers['cache-control']
    // Beside anything else our cookie is one that a cache may hand to the next visitor.
    const caching = setsOurCookie ? 'no-store' : personal ? personalCacheControl(theirs) : theirs
    if (caching !== undefined) flat.push('Cache-Control', caching)
    // A browser that changes hands: what it keeps of one session is not for the next.
    if (personal && caching !== 'no-store') flat.push('Vary', 'Cookie')
  }
  // What a browser keeps of it is for this origin: a neighbour's page would get it from there without asking us (Fetch §3.7).
  if (personal && !('cross-origin-resource-policy' in headers)) flat.push('Cross-Origin-Resource-Policy', 'same-origin')
  if (!('x-content-type-options' in ours) && !('x-content-type-options' in headers))
    flat.push('X-Content-Type-Options', 'nosniff')
  // What our log knows it by, whatever the API calls it.
  if (!('x-request-id' in ours)) flat.push('X-Request-Id', requestId)
  if (transportSecurity !== undefined) flat.push('Strict-Transport-Security', transportSecurity)
  if (framePolicy !== undefined && !refusesFrames(headers)) flat.push('Content-Security-Policy', framePolicy)
  // nginx would hold the events back until they fill its buffers.
  if (isEventStream(upstream)) flat.push('X-Accel-Buffering', 'no')
  return flat
}

function addsUp(name: string): boolean {
  return name === 'set-cookie' || name === 'vary' || name === 'ratelimit' || name === 'ratelimit-policy'
}

/** The headers of a 101, for http-proxy to write: two are of this connection and have to go on it (RFC 6455 §4.2.2). */
export function upgradeResponseHeaders(
  { headers }: IncomingMessage,
  publicCookie: ResponseFacts['publicCookie'],
): IncomingHttpHeaders {
  const passed: IncomingHttpHeaders = { connection: 'Upgrade', upgrade: 'websocket' }
  const dropped = namedByConnection(headers.connection)
  for (const name in headers) {
    const value = headers[name]
    if (name === 'set-cookie' || !/^[a-z0-9-]+$/.test(name) || typeof value !== 'string' || dropped?.has(name)) continue
    if (mayReachBrowser(name, value, headers, true)) passed[name] = value
  }
  const cookies = headers['set-cookie']?.filter((cookie) => mayReachBrowser('set-cookie', cookie, headers, true))
  if (cookies !== undefined && cookies.length > 0) passed['set-cookie'] = cookies.map(publicCookie)
  return passed
}

function mayReachBrowser(name: string, value: string, all: IncomingHttpHeaders, isPersonal: boolean): boolean {
  switch (name) {
    // One of the framing fields, and the only one that does not belong to a single connection.
    case 'content-length':
      return all['transfer-encoding'] === undefined
    case 'set-cookie':
      return !isOwnCookie(value)
    case 'www-authenticate':
      return isTokenChallenge(value)
    default:
      switch (decideResponseField(name)) {
        case 'refused':
          return false
        case 'for caches':
          return !isPersonal
        case 'passes':
          return true
      }
  }
}

/** The fields that the API lets pages read, and ours. `*` would be a name where cookies go along (Fetch §3.3.5). */
function exposed(ours: string, headers: IncomingHttpHeaders): string {
  const theirs = (headers['access-control-expose-headers'] ?? '').split(',').map((name) => name.trim())
  const names = theirs.includes('*') ? Object.keys(headers) : theirs
  const may = (name: string): boolean =>
    /^[a-z0-9-]+$/i.test(name) && decideResponseField(name.toLowerCase()) !== 'refused' && !/^set-cookie/i.test(name)
  return [...new Set([...names.filter(may), ...ours.split(', ')])].join(', ')
}
