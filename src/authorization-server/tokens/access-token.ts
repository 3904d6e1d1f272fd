import { randomBytes } from 'node:crypto'
import { scopeMember } from '../../http/scope.js'
import { listOf } from '../../http/space-separated.js'
import type { JsonObject } from '../../jose/compact-jws.js'
import type { Store } from '../../store/store.js'
import type { AuthorizationDetail, ServerAlgorithm } from '../options.js'
import { detailsMember } from './authorization-details.js'
import { type Confirmation, confirmationOf } from './confirmation.js'
import type { Grant, Grants } from './grant.js'
import { signToken, verifyJws } from './jws.js'
import type { SigningKeys } from './signing-keys.js'

/** What an access token is made for. */
export interface AccessTokenRequest {
  readonly grantId: string
  readonly grant: Grant
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  /** What it is for besides its scopes; empty: nothing. */
  readonly authorizationDetails: readonly AuthorizationDetail[]
  readonly confirmation: Confirmation
  /** Seconds since the epoch: it ends no later than this. Default: after the lifetime. */
  readonly notAfter?: number
}

export interface IssuedAccessToken {
  readonly token: string
  readonly jti: string
  readonly expiresAt: number
}

/** An access token of ours that is alive: signature, time, grant and revocation. */
export interface LiveAccessToken {
  readonly claims: JsonObject
  readonly grantId: string
  readonly grant: Grant
  readonly confirmation: Confirmation
  readonly scopes: readonly string[]
}

export interface AccessTokens {
  issue(request: AccessTokenRequest): Promise<IssuedAccessToken>
  /** Undefined when it is not ours, has expired, or was revoked. */
  find(token: string): Promise<LiveAccessToken | undefined>
  /** Of a token of ours by its `jti`: whether it was revoked, or its grant has ended. */
  isRevoked(jti: string): Promise<boolean>
  /** Ends this one token. */
  revoke(token: LiveAccessToken): Promise<void>
}

export interface AccessTokensOptions {
  readonly issuer: string
  readonly keys: SigningKeys
  readonly algorithm: ServerAlgorithm
  readonly grants: Grants
  readonly store: Store
  /** Seconds. */
  readonly lifetime: number
  readonly now: () => number
}

/** JWT access tokens. @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2 RFC 9068 §2.2} */
export function createAccessTokens({
  issuer,
  keys,
  algorithm,
  grants,
  store,
  lifetime,
  now,
}: AccessTokensOptions): AccessTokens {
  const revoked = (jti: string): string => `as revoked:${jti}`
  const grantIdOf = (jti: string): string => jti.split('.')[0] ?? ''
  /** Undefined when the token was revoked, or its grant has ended. */
  const grantOf = async (jti: string): Promise<Grant | undefined> => {
    const [grant, end] = await Promise.all([grants.find(grantIdOf(jti)), store.get(revoked(jti))])
    return end === undefined ? grant : undefined
  }

  return {
    async issue(request) {
      const {
        grantId,
        grant,
        scopes,
        audience,
        authorizationDetails,
        confirmation,
        notAfter = Number.POSITIVE_INFINITY,
      } = request
      const issuedAt = Math.floor(now())
      const expiresAt = Math.min(issuedAt + lifetime, notAfter)
      // The grant is named in the identifier: that is how a token finds back to it.
      const jti = `${grantId}.${randomBytes(12).toString('base64url')}`
      const claims = {
        iss: issuer,
        sub: grant.user?.subject ?? grant.clientId,
        aud: audience.length === 1 ? audience[0] : audience,
        client_id: grant.clientId,
        iat: issuedAt,
        exp: expiresAt,
        jti,
        ...scopeMember(scopes),
        ...detailsMember(authorizationDetails),
        cnf: confirmation,
        ...(grant.user && { auth_time: grant.user.authTime, amr: grant.user.amr }),
        ...(grant.user?.acr !== undefined && { acr: grant.user.acr }),
        ...(scopes.includes('roles') && grant.user?.claims.roles !== undefined && { roles: grant.user.claims.roles }),
      }
      return { token: await signToken(keys.current(algorithm), 'at+jwt', claims), jti, expiresAt }
    },

    async find(token) {
      if (token.length > 16_384) return undefined
      const verified = await verifyJws(token, keys.verificationKeys())
      if (verified === undefined || verified.header.typ !== 'at+jwt') return undefined
      const { claims } = verified
      const { iss, exp, jti, scope = '', cnf } = claims
      if (iss !== issuer || typeof exp !== 'number' || exp <= now()) return undefined
      const confirmation = confirmationOf(cnf)
      if (typeof jti !== 'string' || typeof scope !== 'string' || confirmation === undefined) return undefined
      const grant = await grantOf(jti)
      if (grant === undefined) return undefined
      return { claims, grantId: grantIdOf(jti), grant, confirmation, scopes: listOf(scope) }
    },

    isRevoked: async (jti) => (await grantOf(jti)) === undefined,

    revoke: ({ claims }) => store.set(revoked(String(claims.jti)), '1', Number(claims.exp)),
  }
}
