import type { IncomingMessage } from 'node:http'
import { Refusal } from '../refusal.js'
import { hasDotSegment, lenientReading } from './lenient-reading.js'

/** The only form of a request's target that anything else looks at: routing, header rules, proof and upstream alike. */
export interface RequestTarget {
  /**
   * Begins with exactly one `/`. Only what RFC 3986 §3.3 allows: unreserved characters are decoded, all that has to be
   * encoded is, with digits in upper case. No URL parser changes it any more.
   */
  readonly path: string
  /** The path as a lenient server may read it: what is decided by the path has to be the same by this. */
  readonly reading: string
  /** `?…` as it came but for quotes and angle brackets, or `''`. */
  readonly query: string
}

/** What WHATWG URL leaves alone in a path, but for `\` and what only a broken client sends. */
const pathCharacters = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/%|^[\]]*$/
/** Printable ASCII without `#`: the query takes no part in any decision. */
const queryCharacters = /^[!"$-~]*$/
const encoded = /%[0-9A-Fa-f]{2}/g
const unreserved = /[A-Za-z0-9\-._~]/

/**
 * Reads a request target, or refuses what two programs could read in two ways. Nothing is repaired: a browser sends none
 * of what is refused here.
 * @param url as on the request line
 * @param host the `Host` header: an absolute-form target has to name it (RFC 9112 §3.2.2)
 * @throws Refusal `bff.request.ambiguous_target`
 */
export function parseRequestTarget(url: string, host: string | undefined): RequestTarget {
  const origin = url.startsWith('/') ? url : originForm(url, host)
  const question = origin.indexOf('?')
  const [raw, query] = question === -1 ? [origin, ''] : [origin.slice(0, question), origin.slice(question)]
  if (!pathCharacters.test(raw)) refuse('the path holds characters that a URL path does not have')
  if (!queryCharacters.test(query)) refuse('the query holds characters that a URL query does not have')
  if (raw.startsWith('//')) refuse('the path begins with two slashes')
  const path = /[%|^[\]]/.test(raw) ? normalised(raw) : raw
  if (hasDotSegment(path)) refuse('the path has a dot segment')
  return { path, reading: lenientReading(path), query: query === '?' ? '' : query.replace(/["'<>]/g, percentEncoded) }
}

function originForm(url: string, host: string | undefined): string {
  const [, authority, rest = ''] = /^https?:\/\/([^/?#@\\]+)((?:[/?].*)?)$/is.exec(url) ?? []
  if (authority === undefined) return refuse('the target is neither a path nor an http(s) URL')
  if (authority.toLowerCase() !== host?.toLowerCase()) refuse('the target names another host than the Host header')
  return rest.startsWith('/') ? rest : `/${rest}`
}

function normalised(path: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(path)) refuse('the path has a "%" that begins no escape')
  if (/%(?:[01][0-9A-F]|7F|5C)/i.test(path)) refuse('the path hides a control character or a backslash')
  return path.replace(/[|^[\]]/g, percentEncoded).replace(encoded, (octet) => {
    const character = String.fromCharCode(Number.parseInt(octet.slice(1), 16))
    return unreserved.test(character) ? character : octet.toUpperCase()
  })
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function refuse(detail: string): never {
  throw new Refusal('bff.request.ambiguous_target', detail)
}

/** Node takes the first of several, the next server perhaps the last (RFC 9112 §3.2). @throws Refusal `bff.request.ambiguous_target` */
export function assertOneHost({ rawHeaders }: IncomingMessage): void {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  if (hosts > 1) throw new Refusal('bff.request.ambiguous_target', 'the request names more than one host')
}
