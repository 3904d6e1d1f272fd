import type { VerifierOptions } from '../options.js'
import { AuthError, refusals } from '../response/auth-error.js'
import type { VerifiedToken } from './access-token.js'

/** @throws AuthError `temporarily_unavailable` when it cannot be determined */
export type IsRevoked = (token: VerifiedToken) => boolean | Promise<boolean>

/** Whatever the list cannot tell is an outage: neither an acceptance nor an uncaught error that ends the process. */
export function createRevocationCheck(isRevoked: VerifierOptions['isRevoked']): IsRevoked {
  if (isRevoked === undefined) return () => false
  return (token) => {
    try {
      const revoked = isRevoked(token)
      // A query of a database may be awaited without being a `Promise`.
      return typeof revoked === 'boolean' ? revoked : Promise.resolve(revoked).catch(unavailable)
    } catch (error) {
      return unavailable(error)
    }
  }
}

function unavailable(cause: unknown): never {
  const { code, check, message } = refusals.revocationUnavailable
  throw new AuthError(code, check, message, { cause })
}
