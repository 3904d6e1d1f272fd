import { errors, jwtVerify } from 'jose'
import * as openid from 'openid-client'
import { UpstreamError } from '../../errors.js'
import { type IssuerKeys, isKeySetOutOfReach } from './issuer-keys.js'

export type Claims = Readonly<Record<string, unknown>>

/** What the userinfo endpoint adds about the user, or why it adds nothing. */
export type UserInfo =
  | { readonly kind: 'claims'; readonly claims: Claims }
  /** The server has no such endpoint. */
  | { readonly kind: 'none' }
  /** It has answered, and says nothing that we may believe. */
  | { readonly kind: 'unusable'; readonly reason: string }
  /** It cannot be asked at the moment. */
  | { readonly kind: 'unavailable'; readonly reason: string }

export interface UserInfoChecks {
  /** Whom the ID token is about. */
  readonly subject: string
  readonly issuer: string
  readonly clientId: string
  readonly algorithms: readonly string[]
  readonly keys: IssuerKeys
}

/** @throws UpstreamError `invalid_response` when the answer is about another user */
export async function askUserInfo(
  known: openid.Configuration,
  accessToken: string,
  checks: UserInfoChecks,
  proof: openid.DPoPOptions,
): Promise<UserInfo> {
  const { userinfo_endpoint: endpoint } = known.serverMetadata()
  if (endpoint === undefined) return { kind: 'none' }
  const headers = new Headers({ Accept: 'application/json, application/jwt' })
  try {
    const url = new URL(endpoint)
    return await readUserInfo(
      await openid.fetchProtectedResource(known, accessToken, url, 'GET', null, headers, proof),
      checks,
    )
  } catch (error) {
    if (error instanceof UpstreamError) throw error
    const reason = `the endpoint did not answer well (${codeOf(error)})`
    return { kind: error instanceof openid.WWWAuthenticateChallengeError ? 'unusable' : 'unavailable', reason }
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^[A-Z_]{3,60}$/.test(code) ? code : 'no code'
}

/**
 * An answer of the userinfo endpoint, as JSON or as a JWT that the server has signed for this client.
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse OpenID Connect Core §5.3.2}
 */
async function readUserInfo(response: Response, checks: UserInfoChecks): Promise<UserInfo> {
  const body = await response.text()
  if (response.status >= 500 || response.status === 429)
    return { kind: 'unavailable', reason: `the endpoint answered with status ${response.status}` }
  if (response.status !== 200) return unusable(`the endpoint answered with status ${response.status}`)
  const type = response.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  const said = type === 'application/jwt' ? await signedClaims(body, checks) : jsonClaims(body, type)
  if (said.kind === 'claims' && said.claims.sub !== checks.subject)
    throw new UpstreamError('invalid_response', 'userinfo is about another user than the ID token')
  return said
}

async function signedClaims(jwt: string, { issuer, clientId, algorithms, keys }: UserInfoChecks): Promise<UserInfo> {
  try {
    const checks = { algorithms: [...algorithms], issuer, audience: clientId, clockTolerance: 30 }
    return { kind: 'claims', claims: (await keys.verify((find) => jwtVerify(jwt, find, checks))).payload }
  } catch (error) {
    if (isKeySetOutOfReach(error))
      return { kind: 'unavailable', reason: 'the keys for its signature cannot be fetched' }
    const claim = error instanceof errors.JWTClaimValidationFailed ? ` at "${error.claim}"` : ''
    return unusable(
      `the signed answer is not valid (${error instanceof errors.JOSEError ? error.code : 'no code'}${claim})`,
    )
  }
}

function jsonClaims(text: string, type = 'without a type'): UserInfo {
  const noObject = unusable(`the answer (${type}) is not a JSON object`)
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? { kind: 'claims', claims: { ...value } } : noObject
  } catch {
    return noObject
  }
}

function unusable(reason: string): UserInfo {
  return { kind: 'unusable', reason }
}
