import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { signatureAlgorithms } from '../../jose/jwk.js'
import type { CertificateOf } from '../client/client-certificate.js'
import type { ProvePossession } from '../client/proof-of-possession.js'
import type { EndpointUrls } from '../endpoint-urls.js'
import type { UserDirectory } from '../sign-in/users.js'
import type { AccessTokens } from '../tokens/access-token.js'
import { claimsFor } from '../tokens/claims.js'
import type { Confirmation } from '../tokens/confirmation.js'
import { knownClient } from './identified-request.js'
import { refused } from './oauth-error.js'

export interface UserinfoOptions {
  readonly urls: EndpointUrls
  readonly provePossession: ProvePossession
  readonly certificateOf: CertificateOf
  readonly accessTokens: AccessTokens
  readonly users: UserDirectory
}

/** @see OpenID Connect Core §5.3, {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}, and RFC 8705 §3 */
export function userinfo(options: UserinfoOptions): Koa.Middleware {
  const { urls, provePossession, certificateOf, accessTokens, users } = options
  return async function userinfo(ctx) {
    const { scheme, token } = credentials(ctx.req.headersDistinct.authorization ?? [])
    const proof = scheme === 'DPoP' ? provePossession(ctx.req, urls.userinfo, token) : undefined
    if (scheme === 'DPoP' && proof === undefined)
      throw new ProtocolError('invalid_dpop_proof', 'a DPoP proof is required')
    const live = await accessTokens.find(token)
    if (live === undefined) throw new ProtocolError('invalid_token', 'the access token is not valid')
    const misuse = misuseOf(live.confirmation, proof?.jkt, () => certificateOf(ctx.req)?.thumbprint)
    if (misuse !== undefined) throw new ProtocolError('invalid_token', misuse)
    knownClient(ctx, live.grant.clientId)
    await proof?.consume(ctx.state.requestId)

    const { user } = live.grant
    if (user === undefined || !live.scopes.includes('openid'))
      throw new ProtocolError('insufficient_scope', 'the access token lacks the scope openid')
    const claims = await users.find(user)
    if (claims === undefined) throw new ProtocolError('invalid_token', 'the user is not known any more')
    ctx.body = { ...claimsFor(live.scopes, claims), sub: user.subject }
  }
}

/** Why a token is not used as it is bound. */
function misuseOf(
  confirmation: Confirmation,
  jkt: string | undefined,
  certificate: () => string | undefined,
): string | undefined {
  if ('jkt' in confirmation) {
    if (jkt === undefined) return 'the access token must come with the DPoP scheme'
    return confirmation.jkt === jkt ? undefined : 'the access token is bound to another key than the one of the proof'
  }
  if (jkt !== undefined) return 'the access token must come with the Bearer scheme, over mutual TLS'
  return confirmation['x5t#S256'] === certificate() ? undefined : 'the access token is bound to another certificate'
}

type Scheme = 'DPoP' | 'Bearer'

/** A token in a query or a body is not looked for (FAPI 2.0 §5.3.4-2). */
function credentials(headers: readonly string[]): { readonly scheme: Scheme; readonly token: string } {
  const [header, ...more] = headers
  if (header === undefined) throw new MissingToken()
  const [name = '', token = '', ...rest] = header.split(' ')
  if (more.length > 0 || rest.length > 0 || token === '')
    throw new ProtocolError('invalid_request', 'the Authorization header is malformed')
  const scheme = (['DPoP', 'Bearer'] as const).find((known) => known.toLowerCase() === name.toLowerCase())
  if (scheme === undefined) throw new ProtocolError('invalid_token', 'the access token must come with the DPoP scheme')
  return { scheme, token }
}

/** RFC 6750 §3.1: a request without any credentials is told how, and no error code. */
class MissingToken extends Error {}

/**
 * Errors of a protected resource are challenges. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1}
 * @param schemes By which tokens are taken.
 */
export function challenges(endpoint: string, schemes: readonly Scheme[]): Koa.Middleware {
  const algs = `algs="${[...signatureAlgorithms, 'EdDSA'].join(' ')}"`
  return async function challenges(ctx, next) {
    ctx.set('Cache-Control', 'no-store')
    try {
      await next()
    } catch (error) {
      if (error instanceof MissingToken) {
        ctx.status = 401
        ctx.set('WWW-Authenticate', schemes.map((scheme) => (scheme === 'DPoP' ? `DPoP ${algs}` : scheme)).join(', '))
        return
      }
      const { status, document, retryAfter } = refused(ctx, error, endpoint)
      const isProof = document.error === 'invalid_dpop_proof' || document.error === 'use_dpop_nonce'
      ctx.status = isProof ? 401 : status
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
      else if (status < 500) {
        const scheme = schemes.includes('Bearer') && /^bearer /i.test(ctx.get('Authorization')) ? 'Bearer' : 'DPoP'
        const members = [
          `error="${document.error}"`,
          `error_description="${document.error_description}"`,
          ...(document.error === 'insufficient_scope' ? ['scope="openid"'] : []),
          ...(scheme === 'DPoP' ? [algs] : []),
        ]
        ctx.set('WWW-Authenticate', `${scheme} ${members.join(', ')}`)
      }
      ctx.body = document
    }
  }
}
