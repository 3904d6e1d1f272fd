import { normalizedAuthority, normalizedPath, normalizedTargetUri } from '../../dpop/target-uri.js'
import { refusals } from '../response/auth-error.js'
import type { HeaderFields } from './header-fields.js'

/** A request target in its parts. */
export interface RequestTarget {
  readonly path: string
  readonly query: string
  /** Of an absolute-form target: it has to be one of ours (RFC 9112 §3.2.2). */
  readonly authority: string | undefined
}

/**
 * The target that validator and router see alike, or a refusal. A path that a later router may clean up (dot segments,
 * backslashes, controls) would let a proof for one endpoint open another.
 */
export function readRequestTarget(target: string): RequestTarget {
  const [, scheme = '', written, path, query = ''] = targetPattern.exec(target) ?? []
  if (path === undefined || dotSegment.test(path)) throw refusals.ambiguousTarget
  if (path.includes('%') && badEncoding.test(path)) throw refusals.ambiguousTarget
  const authority = written === undefined ? undefined : normalizedAuthority(written, scheme.toLowerCase())
  return { path: path === '' ? '/' : path, query, authority }
}

const targetPattern = /^(?:(https?):\/\/([!$-.0->A-[\]-~]+))?((?:\/[!"$->@-[\]-~]*)?)(?:\?([!"$-~]*))?$/i
const dotSegment = /\/\.{1,2}(?:\/|$)/
/** A percent sign that encodes nothing, an encoded dot, or an encoded control character. */
const badEncoding = /%(?:2e|[01][0-9a-f]|7f|(?![0-9a-f]{2}))/i
/** A registered name or an address, with or without a port; a name has 255 octets at most. */
const hostPattern = /^(?=.{1,262}$)(?:(?:[a-z0-9._~!$&'()*+,;=-]|%[0-9a-f]{2})+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/i

/** The URIs that a proof for this request may name in `htu`, as `normalizedTargetUri` writes them. */
export type RequestUris = (target: RequestTarget, fields: HeaderFields) => readonly string[]

/**
 * What this API is called by is the operator's to say and never the sender's: with `Host` or `X-Forwarded-Host` taken at
 * its word, a proof that was made for one API passes at the next (RFC 9449 §4.3, check 9).
 * @throws TypeError when a public URL is not an http or https URL
 */
export function createRequestUris(publicUrls: readonly string[]): RequestUris {
  const bases = publicUrls.map(publicBase)

  return (target, fields) => {
    assertOneHost(fields)
    const ours =
      target.authority === undefined ? bases : bases.filter(({ authority }) => authority === target.authority)
    const path = normalizedPath(target.path)
    return withWebSocket(
      ours.map(({ prefix }) => `${prefix}${path}`),
      fields,
    )
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
  const normalized = normalizedTargetUri(new URL(url).href)
  if (normalized === undefined) throw new TypeError(`${url} is not an http or https URL`)
  const prefix = normalized.endsWith('/') ? normalized.slice(0, -1) : normalized
  return { prefix, authority: prefix.split('/')[2] ?? '' }
}

function assertOneHost({ authority, host, hosts }: HeaderFields): void {
  if (authority === undefined && hosts !== 1) throw refusals.ambiguousHost
  const parts = hostPattern.exec(authority ?? host ?? '')
  if (parts === null || Number(parts[1] ?? 0) > 65_535) throw refusals.ambiguousHost
}
