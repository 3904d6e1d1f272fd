import { normalizedAuthority, normalizedPath, normalizedTargetUri } from '../dpop/target-uri.js'
import { createTrustedPeers } from '../http/trusted-peers.js'
import type { ApiRequest } from './api-request.js'
import { refusals } from './auth-error.js'
import { type HeaderFields, valuesOf } from './header-fields.js'

export interface RequestUriOptions {
  /** What clients call this API by. None: the Host header field and, behind trusted peers, what they forward. */
  readonly publicUrls: readonly string[]
  /** CIDR ranges of the proxies whose `X-Forwarded-Proto` and `X-Forwarded-Host` count. */
  readonly trustedProxies: readonly string[]
}

/** A request target in its parts. */
export interface RequestTarget {
  readonly path: string
  readonly query: string
  /** Of an absolute-form target, which then counts instead of Host (RFC 9112 §3.2.2). */
  readonly authority: string | undefined
}

/**
 * The target that validator and router see alike, or a refusal. A path that somebody may clean up later (dot segments,
 * backslashes, controls) would let a proof for one endpoint open another.
 */
export function readRequestTarget(target: string): RequestTarget {
  const [, authority, path, query = ''] = targetPattern.exec(target) ?? []
  if (path === undefined || dotSegment.test(path)) throw refusals.ambiguousTarget
  if (path.includes('%') && badEncoding.test(path)) throw refusals.ambiguousTarget
  return { path: path === '' ? '/' : path, query, authority }
}

const targetPattern = /^(?:https?:\/\/([!$-.0->A-[\]-~]+))?((?:\/[!"$->@-[\]-~]*)?)(?:\?([!"$-~]*))?$/i
const dotSegment = /\/\.{1,2}(?:\/|$)/
/** A percent sign that encodes nothing, an encoded dot, or an encoded control character. */
const badEncoding = /%(?:2e|[01][0-9a-f]|7f|(?![0-9a-f]{2}))/i
/** A registered name or an address, with or without a port; a name has 255 octets at most. */
const host = /^(?=.{1,262}$)(?:(?:[a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** The URIs that a proof for this request may name in `htu`, as `normalizedTargetUri` writes them. */
export type RequestUris = (request: ApiRequest, target: RequestTarget, fields: HeaderFields) => readonly string[]

/** @throws TypeError when a public URL is not an http or https URL, Error when a proxy is not a CIDR range. */
export function createRequestUris({ publicUrls, trustedProxies }: RequestUriOptions): RequestUris {
  const isTrustedPeer = createTrustedPeers(trustedProxies)
  const bases = publicUrls.map(publicBase)

  return (request, target, fields) => {
    assertOneHost(fields)
    const path = normalizedPath(target.path)
    if (bases.length > 0) {
      const ours = target.authority === undefined ? bases : bases.filter(({ authority }) => isSame(authority, target))
      return withWebSocket(
        ours.map(({ prefix }) => `${prefix}${path}`),
        fields,
      )
    }
    const direct = { protocol: request.encrypted ? 'https' : 'http', host: fields.authority ?? fields.host ?? '' }
    const outside = isTrustedPeer(request.peer)
      ? forwarded(request, direct)
      : checked(request.outside ?? direct, direct)
    const authority = normalizedAuthority(target.authority ?? outside.host, outside.protocol)
    return withWebSocket([`${outside.protocol}://${authority}${path}`], fields)
  }
}

/** A WebSocket is opened by an HTTP request; its client may name either URI (RFC 6455 §3). */
function withWebSocket(uris: readonly string[], { upgrade }: HeaderFields): readonly string[] {
  if (upgrade?.toLowerCase() !== 'websocket') return uris
  return [...uris, ...uris.map((uri) => uri.replace(/^http/, 'ws'))]
}

interface PublicBase {
  readonly prefix: string
  readonly authority: string
}

function publicBase(url: string): PublicBase {
  const normalized = normalizedTargetUri(url)
  if (normalized === undefined) throw new TypeError(`${url} is not an http or https URL`)
  const prefix = normalized.endsWith('/') ? normalized.slice(0, -1) : normalized
  return { prefix, authority: new URL(normalized).host }
}

function isSame(authority: string, target: RequestTarget): boolean {
  return authority === target.authority?.toLowerCase().replace(/:(?:443|80)$/, '')
}

function assertOneHost(fields: HeaderFields): void {
  if (fields.authority !== undefined) {
    if (!host.test(fields.authority)) throw refusals.ambiguousHost
  } else if (fields.hosts !== 1 || !host.test(fields.host ?? '')) throw refusals.ambiguousHost
}

/** Of each list the last element counts: it is the one that our own proxy wrote. */
function forwarded({ rawHeaders }: ApiRequest, direct: { readonly protocol: string; readonly host: string }) {
  const last = (name: string): string | undefined =>
    valuesOf(rawHeaders, name).at(-1)?.split(',').at(-1)?.trim().toLowerCase()
  const outside = { protocol: last('x-forwarded-proto'), host: last('x-forwarded-host') }
  const standard = last('forwarded')
  if (standard !== undefined) {
    const said = (name: string): string | undefined =>
      new RegExp(`(?:^|;)\\s*${name}="?([^";]*)"?`).exec(standard)?.[1]?.trim()
    const [protocol, name] = [said('proto'), said('host')]
    if ((protocol ?? outside.protocol) !== (outside.protocol ?? protocol)) throw refusals.disagreeingProxies
    if ((name ?? outside.host) !== (outside.host ?? name)) throw refusals.disagreeingProxies
    return checked({ protocol: outside.protocol ?? protocol, host: outside.host ?? name }, direct)
  }
  return checked(outside, direct)
}

function checked(
  outside: { readonly protocol: string | undefined; readonly host: string | undefined },
  direct: { readonly protocol: string; readonly host: string },
) {
  const protocol = outside.protocol ?? direct.protocol
  const name = outside.host ?? direct.host
  if ((protocol !== 'http' && protocol !== 'https') || !host.test(name)) throw refusals.ambiguousHost
  return { protocol, host: name }
}
