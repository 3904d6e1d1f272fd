import { createProver, generateProofKey } from '../../dpop/prover.js'
import { ProtocolError } from '../../errors.js'
import { createFetchedCache } from '../../store/fetched-cache.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import type { AccessToken } from '../session/session-record.js'
import type { Credentials } from './credentials.js'
import { type KeyedAudience, refusedToken, type TokenAudience } from './token-audience.js'

/** Tokens of the gateway itself (client credentials), one per audience, under one key of this process. */
export function createClientCredentials(
  { options: { dpop, routes, session } }: Frontend,
  oauth: OAuthClient,
  now: () => number,
): (route: KeyedAudience) => Promise<Credentials> {
  const own = routes.filter(({ tokenType }) => tokenType === 'Client')
  const proofKey = dpop && own.length > 0 ? generateProofKey() : undefined
  const prover = proofKey && createProver(proofKey)
  const tokens = createFetchedCache<AccessToken, TokenAudience>({
    max: own.length + 1,
    async fetch(audience) {
      try {
        return (await oauth.clientCredentials(proofKey, audience)).accessToken
      } catch (error) {
        throw error instanceof ProtocolError ? refusedToken(error) : error
      }
    },
    lifetime: ({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt - session.refreshGracePeriod - now(),
    now,
  })

  return async (route) => {
    const { value } = await tokens.fetch(route.tokenKey, route)
    return prover === undefined ? { kind: 'bearer', accessToken: value } : { kind: 'dpop', accessToken: value, prover }
  }
}
