import { randomUUID } from 'node:crypto'
import { createProver, generateProofKey } from '../../dpop/prover.js'
import { ProtocolError } from '../../errors.js'
import { createWindowedCounts } from '../../http/limits/windowed-counts.js'
import { createFetchedCache } from '../../store/fetched-cache.js'
import { noteTraceOf } from '../../telemetry/request-traces.js'
import type { Trace } from '../../telemetry/trace.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import type { AccessToken } from '../session/session-record.js'
import type { Credentials } from './credentials.js'
import { type KeyedAudience, mayBeOfClient, refusedToken, type TokenAudience } from './token-audience.js'

export interface ClientCredentials {
  of(audience: KeyedAudience, trace: Trace | undefined): Promise<Credentials>
  /** Others than those that an API has refused. Undefined: there were new ones not long ago. */
  insteadOf(refused: string, audience: KeyedAudience, trace: Trace | undefined): Promise<Credentials | undefined>
}

interface Asked {
  readonly audience: TokenAudience
  /** Of the call that asks first. */
  readonly trace: Trace | undefined
}

/** Seconds without another token in place of a refused one: an API that refuses every token must not flood the server. */
export const renewalPause = 60

/** Tokens of the gateway itself (client credentials), one per audience, under one key of this process. */
export function createClientCredentials(
  { options: { dpop, routes, session } }: Frontend,
  oauth: OAuthClient,
  now: () => number,
): ClientCredentials {
  const own = routes.filter(({ tokenType }) => mayBeOfClient(tokenType))
  const proofKey = dpop && own.length > 0 ? generateProofKey() : undefined
  const prover = proofKey && createProver(proofKey)
  const tokens = createFetchedCache<AccessToken, Asked>({
    max: own.length + 1,
    async fetch({ audience, trace }) {
      const requestId = randomUUID()
      noteTraceOf('gateway', requestId, trace)
      try {
        return (await oauth.forRequest(requestId).clientCredentials(proofKey, audience)).accessToken
      } catch (error) {
        throw error instanceof ProtocolError ? refusedToken(error) : error
      }
    },
    lifetime: ({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt - session.refreshGracePeriod - now(),
    now,
  })
  const renewals = createWindowedCounts({ window: renewalPause, now })

  const of: ClientCredentials['of'] = async (audience, trace) => {
    const { value } = await tokens.fetch(audience.tokenKey, { audience, trace })
    return prover === undefined ? { kind: 'bearer', accessToken: value } : { kind: 'dpop', accessToken: value, prover }
  }
  return {
    of,
    async insteadOf(refused, audience, trace) {
      const { tokenKey } = audience
      if (tokens.last(tokenKey)?.value === refused) {
        if (renewals.wait(tokenKey, 1) > 0) return undefined
        renewals.add(tokenKey)
        tokens.delete(tokenKey)
      }
      return of(audience, trace)
    },
  }
}
