import { refusals } from '../response/auth-error.js'
import type { HeaderFields } from './header-fields.js'

/** How an access token is sent (RFC 9449 §7.1, RFC 6750 §2.1). */
export type Scheme = 'DPoP' | 'Bearer'

export interface Credentials {
  readonly scheme: Scheme
  readonly token: string
}

const token68 = /^[A-Za-z0-9\-._~+/]+=*$/

/**
 * The one access token of a request, in the one place it may be. Whether it is spelled as a token may be is left to
 * `assertToken68`: a token that is known need not be looked through again.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1}
 */
export function readCredentials(fields: HeaderFields, query: string, maxLength: number): Credentials {
  if (query !== '' && holdsToken(query)) throw refusals.tokenInQuery
  if (fields.authorizations > 1) throw refusals.several
  const { authorization } = fields
  if (authorization === undefined) throw refusals.none
  const scheme = schemeOf(authorization)
  if (authorization.length > maxLength + 16) throw refusals.tooLong
  let start = scheme.length
  while (authorization[start] === ' ') start++
  // Between scheme and token there are spaces, and at least one.
  if (start === scheme.length || start === authorization.length) throw refusals.malformed
  return { scheme, token: authorization.slice(start) }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-11.2 RFC 9110 §11.2} */
export function assertToken68(token: string): void {
  if (!token68.test(token)) throw refusals.malformed
}

function schemeOf(authorization: string): Scheme {
  if (/^dpop(?![\w!#$%&'*+.^`|~-])/i.test(authorization)) return 'DPoP'
  if (/^bearer(?![\w!#$%&'*+.^`|~-])/i.test(authorization)) return 'Bearer'
  throw /^[\w!#$%&'*+.^`|~-]+(?: |$)/.test(authorization) ? refusals.none : refusals.malformed
}

function holdsToken(query: string): boolean {
  return /access|%/i.test(query) && new URLSearchParams(query).has('access_token')
}
