import type { FrontendOptions } from '../gateway/options.js'
import type { RouteOptions } from '../gateway/route-options.js'

/** How a route carries its token: by a proof, as a bearer token that is bound to our certificate or to nothing, or not at all. */
export type Scheme = 'DPoP' | 'Mtls' | 'Bearer' | 'none'

export function schemeOf(
  { tokenType }: Pick<RouteOptions, 'tokenType'>,
  { dpop, certificateBoundAccessTokens }: FrontendOptions,
): Scheme {
  if (tokenType === 'None') return 'none'
  if (dpop) return 'DPoP'
  return certificateBoundAccessTokens === true ? 'Mtls' : 'Bearer'
}

/** For the end of a line. */
export function schemeText(scheme: Scheme): string {
  if (scheme === 'none') return ''
  return scheme === 'Mtls' ? ', as Bearer over mutual TLS' : `, as ${scheme}`
}
