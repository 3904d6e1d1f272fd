import { errors, jwtVerify } from 'jose'
import { UpstreamError } from '../../errors.js'
import { type IssuerKeys, isKeySetOutOfReach } from './issuer-keys.js'

export type Claims = Readonly<Record<string, unknown>>

/** What the userinfo endpoint adds about the user, or why it adds nothing. */
export type UserInfo =
  | { readonly kind: 'claims'; readonly claims: Claims }
  | { readonly kind: 'unusable'; readonly reason: string }

export interface UserInfoChecks {
  /** Whom the ID token is about. */
  readonly subject: string
  readonly issuer: string
  readonly clientId: string
  readonly algorithms: readonly string[]
  readonly keys: IssuerKeys
}

/**
 * An answer of the userinfo endpoint, as JSON or as a JWT that the server has signed for this client.
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse OpenID Connect Core §5.3.2}
 * @throws UpstreamError `invalid_response` when it is about another user
 */
export async function readUserInfo(response: Response, checks: UserInfoChecks): Promise<UserInfo> {
  const body = await response.text()
  if (response.status !== 200) return unusable(`the endpoint answered with status ${response.status}`)
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  const claims = type === 'application/jwt' ? await signedClaims(body, checks) : jsonObject(body)
  if (claims === undefined) return unusable(`the answer (${type ?? 'without a type'}) is not a JSON object`)
  if (typeof claims === 'string') return unusable(claims)
  if (claims.sub !== checks.subject)
    throw new UpstreamError('invalid_response', 'userinfo is about another user than the ID token')
  return { kind: 'claims', claims }
}

/** The claims, or what is wrong with the JWT. */
async function signedClaims(
  jwt: string,
  { issuer, clientId, algorithms, keys }: UserInfoChecks,
): Promise<Claims | string> {
  try {
    const checks = { algorithms: [...algorithms], issuer, audience: clientId, clockTolerance: 30 }
    return (await keys.verify((find) => jwtVerify(jwt, find, checks))).payload
  } catch (error) {
    if (isKeySetOutOfReach(error)) return 'the keys for its signature cannot be fetched'
    const claim = error instanceof errors.JWTClaimValidationFailed ? ` at "${error.claim}"` : ''
    return `the signed answer is not valid (${error instanceof errors.JOSEError ? error.code : 'no code'}${claim})`
  }
}

function jsonObject(text: string): Claims | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function unusable(reason: string): UserInfo {
  return { kind: 'unusable', reason }
}
