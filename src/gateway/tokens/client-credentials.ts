import { createProver, generateProofKey } from '../../dpop/prover.js'
import { ProtocolError } from '../../errors.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import type { RouteOptions } from '../options.js'
import type { AccessToken } from '../session/session-record.js'
import type { Credentials } from './credentials.js'
import { audienceKey, refusedToken } from './token-audience.js'

/** Tokens of the gateway itself (client credentials), one per audience, under one key of this process. */
export function createClientCredentials(
  frontend: Frontend,
  oauth: OAuthClient,
  isFresh: (token: AccessToken) => boolean,
) {
  const { dpop, routes } = frontend.options
  const proofKey = dpop && routes.some(({ tokenType }) => tokenType === 'Client') ? generateProofKey() : undefined
  const prover = proofKey && createProver(proofKey)
  const held = new Map<string, AccessToken>()
  const underway = new Map<string, Promise<AccessToken>>()

  const fetched = async (route: RouteOptions, key: string): Promise<AccessToken> => {
    try {
      const { accessToken } = await oauth.clientCredentials(proofKey, route)
      held.set(key, accessToken)
      return accessToken
    } catch (error) {
      throw error instanceof ProtocolError ? refusedToken(error) : error
    } finally {
      underway.delete(key)
    }
  }

  return async (route: RouteOptions): Promise<Credentials> => {
    const key = audienceKey(route)
    let token = held.get(key)
    if (token === undefined || !isFresh(token)) {
      const request = underway.get(key) ?? fetched(route, key)
      underway.set(key, request)
      token = await request
    }
    return prover === undefined
      ? { kind: 'bearer', accessToken: token.value }
      : { kind: 'dpop', accessToken: token.value, prover }
  }
}
