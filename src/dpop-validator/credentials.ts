import { refusals } from './auth-error.js'
import type { HeaderFields } from './header-fields.js'

export type Scheme = 'DPoP' | 'Bearer'

export interface Credentials {
  readonly scheme: Scheme
  readonly token: string
}

const schemePattern = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]|$)/
const credentialsPattern = /^(?:dpop|bearer) +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * The one access token of a request, in the one place it may be.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1}
 */
export function readCredentials(fields: HeaderFields, query: string, maxLength: number): Credentials {
  if (query !== '' && holdsToken(query)) throw refusals.tokenInQuery
  if (fields.authorizations > 1) throw refusals.several
  const { authorization } = fields
  if (authorization === undefined) throw refusals.none
  const scheme = schemePattern.exec(authorization)?.[1]?.toLowerCase()
  if (scheme === undefined) throw refusals.malformed
  if (scheme !== 'dpop' && scheme !== 'bearer') throw refusals.none
  if (authorization.length > maxLength + 16) throw refusals.tooLong
  const token = credentialsPattern.exec(authorization)?.[1]
  if (token === undefined) throw refusals.malformed
  return { scheme: scheme === 'dpop' ? 'DPoP' : 'Bearer', token }
}

function holdsToken(query: string): boolean {
  return /access|%/i.test(query) && new URLSearchParams(query).has('access_token')
}
