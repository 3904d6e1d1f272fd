import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { readFormBody } from '../../http/form-body.js'
import type { AuthenticateClient } from '../client/authentication.js'
import type { ClientOptions } from '../options.js'
import type { AccessTokens, LiveAccessToken } from '../tokens/access-token.js'
import { detailsMember } from '../tokens/authorization-details.js'
import { tokenTypeOf } from '../tokens/confirmation.js'
import type { Grants } from '../tokens/grant.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import type { SignedMessages } from '../tokens/signed-messages.js'
import { knownClient } from './identified-request.js'

export interface IntrospectionOptions {
  readonly issuer: string
  readonly authenticateClient: AuthenticateClient
  readonly accessTokens: AccessTokens
  readonly refreshTokens: RefreshTokens
  readonly grants: Grants
  readonly signedMessages: SignedMessages
  readonly now: () => number
}

/** For who asks for it signed (RFC 9701 §4). */
const signedType = 'application/token-introspection+jwt'

/** Whether a token is alive, revocation included. @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2 RFC 7662 §2} */
export function introspection(options: IntrospectionOptions): Koa.Middleware {
  const { authenticateClient, accessTokens, signedMessages } = options
  return async function introspection(ctx) {
    const form = await readFormBody(ctx.req)
    const { client, consume } = await authenticateClient(ctx.req, form)
    knownClient(ctx, client.clientId)
    await consume(ctx.state.requestId)
    if (!client.permissions.endpoints.includes('introspection'))
      throw new ProtocolError('unauthorized_client', 'the client may not introspect tokens')
    const token = form.get('token')
    if (token === undefined) throw new ProtocolError('invalid_request', 'token is required')

    const live = await accessTokens.find(token)
    // A token that is none of the caller's business looks like a dead one (RFC 7662 §2.2).
    const state =
      live === undefined
        ? ((await refreshTokenState(options, client, token)) ?? { active: false })
        : isFor(client, live)
          ? accessTokenState(live)
          : { active: false }
    if (ctx.accepts('application/json', signedType) !== signedType) ctx.body = state
    else {
      ctx.body = await signedMessages.introspection(client, state)
      ctx.type = signedType
    }
  }
}

function isFor({ clientId, audiences = [clientId] }: ClientOptions, { grant, claims }: LiveAccessToken): boolean {
  const { aud } = claims
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return grant.clientId === clientId || audiences.some((audience) => named.includes(audience))
}

function accessTokenState({ claims, confirmation }: LiveAccessToken) {
  return { active: true, token_type: tokenTypeOf(confirmation), ...claims }
}

async function refreshTokenState(
  { issuer, refreshTokens, grants, now }: IntrospectionOptions,
  client: ClientOptions,
  token: string,
) {
  const known = await refreshTokens.find(token)
  if (known === undefined || known.clientId !== client.clientId || known.expiresAt <= now()) return undefined
  const grant = await grants.find(known.grantId)
  if (grant === undefined) return undefined
  return {
    active: true,
    iss: issuer,
    client_id: known.clientId,
    scope: grant.scopes.join(' '),
    exp: Math.floor(known.expiresAt),
    ...detailsMember(grant.authorizationDetails ?? []),
    ...(grant.user && { sub: grant.user.subject }),
  }
}
