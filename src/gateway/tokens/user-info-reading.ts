import { isStoreUnavailable, UpstreamError } from '../../errors.js'
import { publish } from '../../telemetry/events.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import type { UserInfo } from '../oauth/user-info.js'
import { claimsOfIdToken, sessionClaims } from '../session/session-claims.js'
import type { OpenSession, SessionRecord } from '../session/session-record.js'
import type { SessionStore } from '../session/session-store.js'

export interface UserInfoReadingOptions {
  readonly frontend: Frontend
  readonly sessions: SessionStore
}

/** An authorization server, asked as a request. */
export interface Asking {
  readonly requestId: string
  readonly oauth: OAuthClient
}

/**
 * Reads userinfo into a session whose tokens are fresh, and replaces what it said before. A server that does not answer
 * leaves the session as it is: marked, so that it is asked again soon. One that answers without anything that can be used has
 * taken back what it said. Undefined when the session has changed or ended in between.
 * @param asking as the request that it is done for
 * @param tokenKey names the access token to ask with
 */
export type ReadUserInfo = (asking: Asking, open: OpenSession, tokenKey: string) => Promise<OpenSession | undefined>

export function createUserInfoReading({ frontend, sessions }: UserInfoReadingOptions): ReadUserInfo {
  const ask = async ({ oauth, requestId }: Asking, { session }: OpenSession, tokenKey: string): Promise<UserInfo> => {
    const { accessTokens, subject, proofKey } = session.record
    const token = accessTokens[tokenKey]
    if (token === undefined || subject === undefined) return { kind: 'none' }
    const userInfo = await oauth.userInfo(token.value, subject, proofKey).catch(aboutAnother)
    if (userInfo.kind === 'unusable' || userInfo.kind === 'unavailable')
      publish({
        type: 'gateway.userinfo.unusable',
        frontend: frontend.name,
        session: session.handle,
        requestId,
        reason: userInfo.reason,
      })
    return userInfo
  }

  return async (asking, open, tokenKey) => {
    const { id, session } = open
    const userInfo = await ask(asking, open, tokenKey)
    if (userInfo.kind === 'unavailable') return open
    const record = withUserInfo(session.record, userInfo)
    try {
      const replaced = await sessions.replace(id, session, record)
      return replaced && { id, session: replaced }
    } catch (error) {
      // Marked as due: it is asked for again once the store is back.
      if (isStoreUnavailable(error)) return open
      throw error
    }
  }
}

function withUserInfo({ userInfo: _, userInfoDue: __, ...record }: SessionRecord, userInfo: UserInfo): SessionRecord {
  const said = userInfo.kind === 'claims' ? userInfo.claims : undefined
  return {
    ...record,
    ...(said !== undefined && { userInfo: said }),
    claims: sessionClaims({
      before: record.claims,
      idToken: claimsOfIdToken(record),
      userInfo: said,
      added: record.addedClaims,
    }),
  }
}

/** What is about another user is not used (OpenID Connect Core §5.3.2). */
function aboutAnother(error: unknown): UserInfo {
  if (error instanceof UpstreamError && error.code === 'invalid_response')
    return { kind: 'unusable', reason: error.message }
  throw error
}
