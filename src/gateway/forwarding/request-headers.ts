import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isOwnCookie } from '../../http/cookie.js'
import type { Client } from '../../http/trusted-peers.js'
import { type Headers, hopByHop, namedByConnection } from './headers.js'

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
  const dropped = namedByConnection(headers.connection)
  const passed: Headers = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || !mayGoUp(name) || dropped?.has(name)) continue
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
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '' && !isOwnCookie(pair))
    .join('; ')
}
