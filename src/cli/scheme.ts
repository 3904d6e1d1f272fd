import type { FrontendOptions } from '../gateway/options.js'
import type { RouteOptions } from '../gateway/route-options.js'

/**
 * How a route carries its token: by a proof, as a bearer token that is bound to our certificate or to nothing, not
 * at all, or a signed assertion goes in its place.
 */
export type Scheme = 'DPoP' | 'Mtls' | 'Bearer' | 'Assertion' | 'none'

export function schemeOf(
  { tokenType, identityAssertion }: Pick<RouteOptions, 'tokenType' | 'identityAssertion'>,
  { dpop, certificateBoundAccessTokens }: FrontendOptions,
): Scheme {
  if (tokenType === 'None') return 'none'
  if (identityAssertion !== undefined) return 'Assertion'
  if (dpop) return 'DPoP'
  return certificateBoundAccessTokens === true ? 'Mtls' : 'Bearer'
}

export function carriesToken(scheme: Scheme): boolean {
  return scheme !== 'none' && scheme !== 'Assertion'
}

/** For the end of a line. */
export function schemeText(scheme: Scheme): string {
  if (scheme === 'none') return ''
  if (scheme === 'Assertion') return ', as a signed assertion of who it is'
  return scheme === 'Mtls' ? ', as Bearer over mutual TLS' : `, as ${scheme}`
}
