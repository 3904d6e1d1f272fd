import { ProtocolError, UpstreamError } from '../../errors.js'
import { createLock } from '../../store/lock.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient, TokenSet } from '../oauth/oauth-client.js'
import { serverSaid } from '../oauth/server-said.js'
import { Refusal } from '../refusal.js'
import { claimsOfIdToken, sessionClaims, userInfoDue } from '../session/session-claims.js'
import type { OpenSession, Session, SessionRecord } from '../session/session-record.js'
import type { SessionStore } from '../session/session-store.js'
import { persistently } from './persistently.js'
import { grantedPart, isForServer, type KeyedAudience, loginAudience, refusedToken } from './token-audience.js'
import { createUserInfoReading } from './user-info-reading.js'

/**
 * The session with a fresh token for the audience: asked for once, however many calls, processes and replicas want it.
 * @param refused The token that an API has refused, which is no longer fresh
 * @throws Refusal `bff.session.ended`, `bff.token.refused`
 * @throws UpstreamError
 */
export type Refresh = (open: OpenSession, audience: KeyedAudience, refused?: string) => Promise<OpenSession>

export interface RefreshOptions {
  readonly frontend: Frontend
  readonly oauth: OAuthClient
  readonly sessions: SessionStore
  readonly store: Store
  readonly now: () => number
  /** Whether the session has a token that serves without a refresh. */
  readonly hasFresh: (session: Session, audience: KeyedAudience) => boolean
}

export function createRefresh({ frontend, oauth, sessions, store, now, hasFresh }: RefreshOptions): Refresh {
  const lock = createLock(store, now)
  const readUserInfo = createUserInfoReading({ frontend, oauth, sessions })
  /** Calls of this process that wait for the same token. */
  const underway = new Map<string, Promise<OpenSession>>()

  const reopened = async (id: string): Promise<OpenSession> => {
    const session = await sessions.open(id)
    if (session === undefined) throw ended()
    return { id, session }
  }

  const refreshed = async (open: OpenSession, audience: KeyedAudience): Promise<OpenSession> => {
    const { id, session } = open
    const { refreshToken, proofKey } = session.record
    if (refreshToken === undefined) throw refusedToken()
    let tokens: TokenSet
    try {
      tokens = await oauth.refresh(refreshToken, proofKey, grantedPart(audience, session.record.grantedScopes))
      assertSameUser(tokens, session.record)
    } catch (error) {
      return afterFailure(open, audience, error)
    }
    const isToBeRead = await hasUserInfo(session.record)
    const record = {
      ...renewed(session.record, tokens, audience.tokenKey),
      // Written down before it is read: whatever happens in between, it is asked for again.
      ...(isToBeRead && { userInfoDue: userInfoDue(now(), session.record.userInfoDue) }),
    }
    const replaced = await persistently(() => sessions.replace(id, session, record))
    if (replaced === undefined) {
      // Ended or overtaken meanwhile. What was just issued has no session to belong to.
      return reopened(id).catch(async (error: unknown) => {
        await oauth.revoke(tokens.refreshToken ?? refreshToken, 'refresh_token', proofKey).catch(() => undefined)
        throw error
      })
    }
    publish({ type: 'gateway.session.refreshed', frontend: frontend.name, session: session.handle })
    const renewedSession = { id, session: replaced }
    return isToBeRead ? withUserInfo(renewedSession, audience) : renewedSession
  }

  const hasUserInfo = async ({ subject }: SessionRecord): Promise<boolean> =>
    subject !== undefined && (await oauth.metadata()).userinfo_endpoint !== undefined

  /** Asked with the token that was just got, where the server's own endpoint takes it; else with that of the login. */
  const withUserInfo = async (open: OpenSession, audience: KeyedAudience): Promise<OpenSession> => {
    const { expiresAt = Number.POSITIVE_INFINITY } = open.session.record.accessTokens[''] ?? { expiresAt: 0 }
    const tokenKey = isForServer(audience) ? audience.tokenKey : now() < expiresAt ? loginAudience.tokenKey : undefined
    if (tokenKey !== undefined) return (await readUserInfo(open, tokenKey)) ?? reopened(open.id)
    return refreshed(open, loginAudience).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'bff.session.ended') throw error
      return open
    })
  }

  /** Only the death of the refresh token that the session still has ends it. */
  const afterFailure = async (open: OpenSession, audience: KeyedAudience, error: unknown): Promise<OpenSession> => {
    const { id, session } = open
    const fatal = error instanceof ProtocolError && error.code === 'invalid_grant'
    const code = error instanceof ProtocolError || error instanceof UpstreamError ? error.code : 'unexpected'
    publish({
      type: 'gateway.session.refresh-failed',
      frontend: frontend.name,
      session: session.handle,
      fatal,
      code,
      ...serverSaid(error, frontend),
    })
    const latest = await reopened(id)
    if (latest.session.revision !== session.revision && hasFresh(latest.session, audience)) return latest
    if (fatal && (await sessions.endUnchanged(session, 'refresh-failed'))) throw ended()
    if (error instanceof ProtocolError && !fatal) throw refusedToken(error)
    throw error
  }

  const underLock = (
    { id, session }: OpenSession,
    audience: KeyedAudience,
    refused: string | undefined,
  ): Promise<OpenSession> => {
    const served = async (): Promise<OpenSession | undefined> => {
      const latest = await reopened(id)
      const held = latest.session.record.accessTokens[audience.tokenKey]?.value
      const isRefused = refused !== undefined && held === refused
      return !isRefused && hasFresh(latest.session, audience) ? latest : undefined
    }
    return lock.with(`refresh:${session.key}`, served, async () => refreshed(await reopened(id), audience))
  }

  return (open, audience, refused) => {
    const key = `${open.session.key} ${audience.tokenKey} ${refused ?? ''}`
    const refresh = underway.get(key) ?? underLock(open, audience, refused).finally(() => underway.delete(key))
    underway.set(key, refresh)
    return refresh
  }
}

/** OpenID Connect Core §12.2: the same user, and the nonce of the login if there is one. */
function assertSameUser({ claims }: TokenSet, { subject, nonce }: SessionRecord): void {
  if (claims === undefined) return
  if (claims.sub !== subject)
    throw new UpstreamError('invalid_response', 'the refreshed ID token is about another user')
  if (claims.nonce !== undefined && claims.nonce !== nonce)
    throw new UpstreamError('invalid_response', 'the refreshed ID token belongs to another login')
}

/** What the answer leaves out stays as it was (RFC 6749 §6). */
function renewed(
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

function ended(): Refusal {
  return new Refusal('bff.session.ended', 'the session has ended; log in again')
}
