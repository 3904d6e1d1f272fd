import { decodeJwt } from 'jose/jwt/decode'
import type { Claims } from '../oauth/user-info.js'
import type { SessionRecord } from './session-record.js'

/** Of the token, not of the user (OpenID Connect Core §2, RFC 7519 §4.1). */
export const tokenClaims: ReadonlySet<string> = new Set([
  'iss',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'azp',
  'at_hash',
  'c_hash',
  's_hash',
  'sid',
  'session_expiry',
])

/** Who has signed in, and how: a login's, like the claims about its tokens. They come from ID tokens alone. */
export const loginClaims: ReadonlySet<string> = new Set([...tokenClaims, 'sub', 'acr', 'amr', 'auth_time'])

/** Seconds for which userinfo that was read serves while it cannot be read again. */
export const gracePeriod = 600
/** Seconds until userinfo that could not be read is asked for again. */
const retryAfter = 60

export interface ClaimSources {
  /** What the session had before. */
  readonly before?: Claims
  /** Of the last ID token. It is signed and comes first. */
  readonly idToken: Claims
  readonly userInfo?: Claims | undefined
  /** By the program around the gateway. */
  readonly added?: Claims | undefined
}

/**
 * A session's claims from what the server has said last. Nothing is merged with what it said before: a claim that is gone is
 * gone. Only what belongs to the login stays, for ID tokens of a refresh may leave it out (OpenID Connect Core §12.2).
 */
export function sessionClaims({ before = {}, idToken, userInfo = {}, added = {} }: ClaimSources): Claims {
  return {
    ...only(userInfo, (name) => !loginClaims.has(name)),
    ...only(before, (name) => loginClaims.has(name)),
    ...idToken,
    ...added,
  }
}

/** Without what userinfo has said. */
export function claimsOfIdToken({ idToken, claims }: Pick<SessionRecord, 'idToken' | 'claims'>): Claims {
  return idToken === undefined
    ? only(claims, (name) => loginClaims.has(name))
    : sessionClaims({ before: claims, idToken: decodeJwt(idToken) })
}

/** Userinfo has yet to be read. While it cannot be, this stays, and says since when. */
export function userInfoDue(now: number, { since } = { since: now }): NonNullable<SessionRecord['userInfoDue']> {
  return { since, retryAt: now + retryAfter }
}

/**
 * The claims that rules may be asked about, and whether they are all there is to know: what userinfo has said counts for
 * `gracePeriod` more while it cannot be read, and then no longer.
 */
export function knownClaims(
  record: SessionRecord,
  now: number,
): { readonly claims: Claims; readonly isComplete: boolean } {
  const { claims, userInfo, userInfoDue: due } = record
  if (due === undefined) return { claims, isComplete: true }
  if (userInfo !== undefined && now < due.since + gracePeriod) return { claims, isComplete: true }
  return { claims: { ...claimsOfIdToken(record), ...record.addedClaims }, isComplete: false }
}

function only(claims: Claims, isWanted: (name: string) => boolean): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => isWanted(name)))
}
