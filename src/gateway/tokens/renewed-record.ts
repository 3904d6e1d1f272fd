import { UpstreamError } from '../../errors.js'
import type { TokenSet } from '../oauth/token-set.js'
import { claimsOfIdToken, sessionClaims } from '../session/session-claims.js'
import type { SessionRecord } from '../session/session-record.js'

/** OpenID Connect Core §12.2: the same user, and the nonce of the login if there is one. */
export function assertSameUser({ claims }: TokenSet, { subject, nonce }: SessionRecord): void {
  if (claims === undefined) return
  if (claims.sub !== subject)
    throw new UpstreamError('invalid_response', 'the refreshed ID token is about another user')
  if (claims.nonce !== undefined && claims.nonce !== nonce)
    throw new UpstreamError('invalid_response', 'the refreshed ID token belongs to another login')
}

/** What the answer leaves out stays as it was (RFC 6749 §6). */
export function renewedRecord(
  record: SessionRecord,
  { accessToken, claims, grantedScopes: _, ...tokens }: TokenSet,
  tokenKey: string,
): SessionRecord {
  const { session_expiry: sessionExpiry } = claims ?? {}
  return {
    ...record,
    ...tokens,
    claims: sessionClaims({
      before: record.claims,
      idToken: claims ?? claimsOfIdToken(record),
      userInfo: record.userInfo,
      added: record.addedClaims,
    }),
    ...(typeof sessionExpiry === 'number' && { sessionExpiry }),
    accessTokens: { ...record.accessTokens, [tokenKey]: accessToken },
  }
}
