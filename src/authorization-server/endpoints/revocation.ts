import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { readFormBody } from '../../http/form-body.js'
import { publish } from '../../telemetry/events.js'
import type { AuthenticateClient } from '../client/authentication.js'
import type { AccessTokens } from '../tokens/access-token.js'
import type { Grants } from '../tokens/grant.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import { knownClient } from './identified-request.js'

export interface RevocationOptions {
  readonly authenticateClient: AuthenticateClient
  readonly accessTokens: AccessTokens
  readonly refreshTokens: RefreshTokens
  readonly grants: Grants
}

/** A refresh token takes its whole grant with it, an access token only itself. @see RFC 7009 §2.1 */
export function revocation({
  authenticateClient,
  accessTokens,
  refreshTokens,
  grants,
}: RevocationOptions): Koa.Middleware {
  return async function revocation(ctx) {
    const form = await readFormBody(ctx.req)
    const { client, consume } = await authenticateClient(ctx.req, form)
    knownClient(ctx, client.clientId)
    await consume(ctx.state.requestId)
    const token = form.get('token')
    if (token === undefined) throw new ProtocolError('invalid_request', 'token is required')

    const refreshToken = await refreshTokens.find(token)
    const accessToken = refreshToken === undefined ? await accessTokens.find(token) : undefined
    const owner = refreshToken?.clientId ?? accessToken?.grant.clientId
    if (owner !== undefined && owner !== client.clientId)
      throw new ProtocolError('invalid_grant', 'the token was issued to another client')
    if (refreshToken !== undefined) {
      await grants.revoke(refreshToken.grantId)
      await refreshTokens.delete(token)
    }
    if (accessToken !== undefined) await accessTokens.revoke(accessToken)
    if (owner !== undefined)
      publish({ type: 'as.token.revoked', requestId: ctx.state.requestId, client: client.clientId })
    // RFC 7009 §2.2: what is unknown is as good as revoked.
    ctx.status = 200
    ctx.body = ''
  }
}
