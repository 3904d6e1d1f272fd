import { ProtocolError, UpstreamError } from '../../errors.js'
import type { Jwk } from '../../jose/jwk.js'
import { publish } from '../../telemetry/events.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import { serverSaid } from '../oauth/server-said.js'

/** A frontend as far as it revokes. */
export interface RevokingFrontend extends Frontend {
  readonly oauth: Pick<OAuthClient, 'revoke'>
}

/** A token of a session that is over. */
export interface LeftToken {
  readonly value: string
  readonly kind: 'refresh_token' | 'access_token'
  readonly proofKey: Jwk | undefined
}

/** False: the server has no such endpoint. @param session its handle @throws ProtocolError, UpstreamError */
export async function revokeToken(
  frontend: RevokingFrontend,
  session: string,
  token: LeftToken,
  requestId?: string,
): Promise<boolean> {
  const isRevoked = await frontend.oauth.revoke(token.value, token.kind, token.proofKey)
  const known = { frontend: frontend.name, session, ...(requestId !== undefined && { requestId }) }
  if (isRevoked) publish({ type: 'gateway.token.revoked', ...known, token: token.kind })
  return isRevoked
}

/** For the log: a token lives on at the server. @param reason what `revokeToken` has thrown, or a code of ours */
export function tellNotRevoked(
  frontend: Frontend,
  session: string,
  token: LeftToken['kind'],
  reason: unknown,
  requestId?: string,
): void {
  const isNamed = reason instanceof ProtocolError || reason instanceof UpstreamError
  const code = isNamed ? reason.code : typeof reason === 'string' ? reason : 'unknown'
  const said = serverSaid(reason, frontend)
  const known = { frontend: frontend.name, session, ...(requestId !== undefined && { requestId }) }
  publish({ type: 'gateway.token.not-revoked', ...known, token, code, ...said })
}
