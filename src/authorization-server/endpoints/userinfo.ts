import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { signatureAlgorithms } from '../../jose/jwk.js'
import type { ProvePossession } from '../client/proof-of-possession.js'
import type { EndpointUrls } from '../endpoint-urls.js'
import type { UserDirectory } from '../sign-in/users.js'
import type { AccessTokens } from '../tokens/access-token.js'
import { claimsFor } from '../tokens/claims.js'
import { knownClient } from './identified-request.js'
import { refused } from './oauth-error.js'

export interface UserinfoOptions {
  readonly urls: EndpointUrls
  readonly provePossession: ProvePossession
  readonly accessTokens: AccessTokens
  readonly users: UserDirectory
}

/** @see OpenID Connect Core §5.3, and {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7} */
export function userinfo({ urls, provePossession, accessTokens, users }: UserinfoOptions): Koa.Middleware {
  return async function userinfo(ctx) {
    const token = boundToken(ctx.req.headersDistinct.authorization ?? [])
    const proof = provePossession(ctx.req, urls.userinfo, token)
    if (proof === undefined) throw new ProtocolError('invalid_dpop_proof', 'a DPoP proof is required')
    const live = await accessTokens.find(token)
    if (live === undefined) throw new ProtocolError('invalid_token', 'the access token is not valid')
    if (live.jkt !== proof.jkt)
      throw new ProtocolError('invalid_token', 'the access token is bound to another key than the one of the proof')
    knownClient(ctx, live.grant.clientId)
    await proof.consume(ctx.state.requestId)

    const { user } = live.grant
    if (user === undefined || !live.scopes.includes('openid'))
      throw new ProtocolError('insufficient_scope', 'the access token lacks the scope openid')
    const claims = await users.find(user)
    if (claims === undefined) throw new ProtocolError('invalid_token', 'the user is not known any more')
    ctx.body = { ...claimsFor(live.scopes, claims), sub: user.subject }
  }
}

/** A token in a query or a body is not looked for (FAPI 2.0 §5.3.4-2). */
function boundToken(headers: readonly string[]): string {
  const [header, ...more] = headers
  if (header === undefined) throw new MissingToken()
  const [scheme = '', token = '', ...rest] = header.split(' ')
  if (more.length > 0 || rest.length > 0 || token === '')
    throw new ProtocolError('invalid_request', 'the Authorization header is malformed')
  if (scheme.toLowerCase() !== 'dpop')
    throw new ProtocolError('invalid_token', 'the access token must come with the DPoP scheme')
  return token
}

/** RFC 6750 §3.1: a request without any credentials is told how, and no error code. */
class MissingToken extends Error {}

/** Errors of a protected resource are challenges. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1} */
export function challenges(endpoint: string): Koa.Middleware {
  const algs = `algs="${[...signatureAlgorithms, 'EdDSA'].join(' ')}"`
  return async function challenges(ctx, next) {
    ctx.set('Cache-Control', 'no-store')
    try {
      await next()
    } catch (error) {
      if (error instanceof MissingToken) {
        ctx.status = 401
        ctx.set('WWW-Authenticate', `DPoP ${algs}`)
        return
      }
      const { status, document, retryAfter } = refused(ctx, error, endpoint)
      const isProof = document.error === 'invalid_dpop_proof' || document.error === 'use_dpop_nonce'
      ctx.status = isProof ? 401 : status
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
      else if (status < 500) {
        const scope = document.error === 'insufficient_scope' ? ' scope="openid",' : ''
        ctx.set(
          'WWW-Authenticate',
          `DPoP error="${document.error}", error_description="${document.error_description}",${scope} ${algs}`,
        )
      }
      ctx.body = document
    }
  }
}
