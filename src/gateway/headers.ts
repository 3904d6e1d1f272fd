import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from '../http/trusted-peers.js'
import type { UpstreamResponse } from './upstream-response.js'

/** Header names in lower case, each with what goes on the wire. */
export type Headers = Record<string, string | string[]>

/** Every cookie of ours begins so, the gateway's and, where it shares the host, the authorization server's; no other may. */
const ownCookie = /^__(?:host|secure)-(?:http-)?(?:bff|as)-/i

/** Of one connection only (RFC 9110 §7.6.1), or of its framing, which we settle ourselves. */
const hopByHop = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** What a browser has no business telling an API through us, because an API could believe that we said it. */
const oursToSay = new Set([
  'authorization',
  'client-ip',
  'dpop',
  'forwarded',
  'front-end-https',
  'host',
  'remote-user',
  'traceparent',
  'true-client-ip',
  'via',
  'x-client-cert',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-csrf',
  'x-host',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-middleware-subrequest',
  'x-proxy-user',
  'x-real-ip',
  'x-remote-user',
  'x-request-id',
  'x-rewrite-url',
  'x-scheme',
  'x-url-scheme',
  'x-webauth-user',
])
const oursToSayFamily =
  /^(?:x-(?:forwarded|original|auth|authenticated|authentik|remote|ssl|user|envoy|goog-authenticated|goog-iap|amzn-oidc|ms-client-principal)(?:-|$)|(?:cf|fastly|ssl|sec-websocket-bff)-)/

/** CGI, WSGI and PHP read `X_Forwarded_User`, `X.Forwarded.User` and `X-Forwarded-User` as one name. */
const plainName = /^[a-z0-9-]+$/

/** `Connection` may name what it likes; these describe the message itself and do not go away for it. */
const staysDespiteConnection = /^(?:content-|sec-|cookie$|origin$|host$|accept)/

/** What we say about the request on its way up. */
export interface RequestFacts {
  readonly client: Client
  /** The frontend's origin as browsers see it: from the configuration, never from the request. */
  readonly publicUrl: URL
  readonly removedPrefix: string
  readonly requestId: string
}

/**
 * The headers of the request that goes upstream, on a copy: what may pass, then what we say. Credentials and `Host` are
 * added per attempt.
 */
export function requestHeaders(request: IncomingMessage, facts: RequestFacts): Headers {
  const { headers } = request
  const listed = connectionOptions(headers.connection)
  const passed: Headers = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || !mayGoUp(name)) continue
    if (listed?.has(name) && !staysDespiteConnection.test(name)) continue
    if (name === 'cookie') {
      const others = cookiesOfOthers(String(value))
      if (others !== '') passed.cookie = others
    } else {
      passed[name] = value
    }
  }
  return describe(passed, request, facts)
}

/** Browsers send the same few names all the time. Bounded, for anybody can make up others. */
const decided = new Map<string, boolean>()

function mayGoUp(name: string): boolean {
  const known = decided.get(name)
  if (known !== undefined) return known
  const passes = plainName.test(name) && !hopByHop.has(name) && !oursToSay.has(name) && !oursToSayFamily.test(name)
  if (decided.size < 1000 && name.length <= 64) decided.set(name, passes)
  return passes
}

function describe(passed: Headers, request: IncomingMessage, facts: RequestFacts): Headers {
  const { client, removedPrefix, requestId } = facts
  const { host, protocol, suffix } = placeOf(facts.publicUrl)
  passed['x-forwarded-for'] = client.address
  passed['x-forwarded-host'] = host
  passed['x-forwarded-proto'] = protocol
  if (removedPrefix !== '') passed['x-forwarded-prefix'] = removedPrefix
  passed.forwarded = `for=${forwardedNode(client.address)}${suffix}`
  const { via, traceparent } = request.headers
  passed.via = via === undefined ? ownVia : `${via}, ${ownVia}`
  passed['x-request-id'] = requestId
  if (typeof traceparent === 'string' && validTraceparent(traceparent)) {
    passed.traceparent = traceparent
  } else {
    passed.traceparent = newTraceparent(requestId)
    // It belongs to the trace that was not taken over (W3C Trace Context §3.3).
    if (passed.tracestate !== undefined) delete passed.tracestate
  }
  return passed
}

interface PublicPlace {
  readonly host: string
  readonly protocol: string
  /** What `Forwarded` says of it. */
  readonly suffix: string
}

const places = new WeakMap<URL, PublicPlace>()

function placeOf(publicUrl: URL): PublicPlace {
  const known = places.get(publicUrl)
  if (known !== undefined) return known
  const { host } = publicUrl
  const protocol = publicUrl.protocol.slice(0, -1)
  const place = { host, protocol, suffix: `;host="${host}";proto=${protocol}` }
  places.set(publicUrl, place)
  return place
}

/** Not sampled. A trace that begins here has the request's id, a UUID, for its own. */
function newTraceparent(requestId: string): string {
  return `00-${hexOf(requestId)}-${hexOf(randomUUID()).slice(16)}-00`
}

function hexOf(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.6.3 RFC 9110 §7.6.3} */
const ownVia = '1.1 sallyport'

/** @see {@link https://www.rfc-editor.org/rfc/rfc7239#section-6 RFC 7239 §6} */
function forwardedNode(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address || 'unknown'
}

function validTraceparent(value: string): boolean {
  return /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.test(value)
}

/** The `Cookie` header without our own cookies. */
function cookiesOfOthers(header: string): string {
  if (!/bff-/i.test(header)) return header
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !ownCookie.test(pair.replace(/^[\s="]+/, '')))
    .join('; ')
}

/** Undefined for what nearly every request has: nothing, `keep-alive` or `close`. */
function connectionOptions(header: string | undefined): ReadonlySet<string> | undefined {
  if (header === undefined || header === 'keep-alive' || header === 'close') return undefined
  return new Set(header.split(',').map((option) => option.trim().toLowerCase()))
}

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
  const listed = connectionOptions(upstream.headers.connection)
  const ours = response.getHeaders()
  const flat: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    const value = rawHeaders[index + 1] ?? ''
    const lower = name.toLowerCase()
    if (!mayReachBrowser(lower, value, upstream.headers)) continue
    if (listed?.has(lower) && !staysDespiteConnection.test(lower)) continue
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
  if (name === 'set-cookie') return !ownCookie.test(value.replace(/^[\s="]+/, ''))
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
