import type { JsonObject } from '../../jose/compact-jws.js'
import type { ClientOptions, ServerAlgorithm } from '../options.js'
import type { GrantUser } from './grant.js'
import { signToken, verifyJws } from './jws.js'
import type { SigningKeys } from './signing-keys.js'

export interface IdTokens {
  /** @param nonce Of the authorization request; none at a refresh (OpenID Connect Core §12.2). */
  issue(client: ClientOptions, user: GrantUser, nonce?: string): Promise<string>
  /** The claims of an ID token of ours that comes back as a hint; it may have expired. */
  recognise(hint: string): Promise<IdTokenHint | undefined>
}

export interface IdTokenHint {
  readonly clientId: string
  readonly subject: string
  /** Absent for a client that has no part in logout. */
  readonly sid: string | undefined
}

export interface IdTokensOptions {
  readonly issuer: string
  readonly keys: SigningKeys
  readonly defaultAlgorithm: ServerAlgorithm
  /** Seconds. */
  readonly lifetime: number
  readonly now: () => number
}

/** Says who signed in, and how; what else there is to know is for the userinfo endpoint. @see OpenID Connect Core §2 */
export function createIdTokens({ issuer, keys, defaultAlgorithm, lifetime, now }: IdTokensOptions): IdTokens {
  return {
    issue(client, { subject, sid, authTime, amr, acr }, nonce) {
      const { clientId, idTokenAlgorithm = defaultAlgorithm } = client
      const issuedAt = Math.floor(now())
      return signToken(keys.current(idTokenAlgorithm), 'JWT', {
        iss: issuer,
        sub: subject,
        aud: clientId,
        iat: issuedAt,
        exp: issuedAt + lifetime,
        auth_time: authTime,
        amr,
        ...(takesPartInLogout(client) && { sid }),
        ...(acr !== undefined && { acr }),
        ...(nonce !== undefined && { nonce }),
      })
    },

    async recognise(hint) {
      if (hint.length > 8192) return undefined
      const verified = await verifyJws(hint, keys.verificationKeys())
      if (verified === undefined || !isIdToken(verified.header)) return undefined
      const { iss, aud, sub, sid } = verified.claims
      if (iss !== issuer || typeof aud !== 'string' || typeof sub !== 'string') return undefined
      return { clientId: aud, subject: sub, sid: typeof sid === 'string' ? sid : undefined }
    },
  }
}

/** An access token or a logout token of ours is signed by the same keys and is no ID token. */
function isIdToken({ typ }: JsonObject): boolean {
  return typ === 'JWT'
}

/** Who can neither end the session nor hear of its end has no use for its name. */
function takesPartInLogout({ backchannelLogoutUri, permissions }: ClientOptions): boolean {
  return backchannelLogoutUri !== undefined || permissions.endpoints.includes('end_session')
}
