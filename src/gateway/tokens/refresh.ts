import { randomUUID } from 'node:crypto'
import { ProtocolError, UpstreamError } from '../../errors.js'
import type { Hold, Lock } from '../../store/lock.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import { noteTraceOf } from '../../telemetry/request-traces.js'
import type { Trace } from '../../telemetry/trace.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import { serverSaid } from '../oauth/server-said.js'
import type { TokenSet } from '../oauth/token-set.js'
import { Refusal } from '../refusal.js'
import { userInfoDue } from '../session/session-claims.js'
import type { OpenSession, Session, SessionRecord } from '../session/session-record.js'
import type { SessionStore } from '../session/session-store.js'
import { assertSameUser, renewedRecord } from './renewed-record.js'
import { createSessionWriter } from './session-writer.js'
import { grantedPart, isForServer, type KeyedAudience, loginAudience, refusedToken } from './token-audience.js'
import { createUnfinishedRefreshes } from './unfinished-refresh.js'
import { type Asking, createUserInfoReading } from './user-info-reading.js'

/**
 * The session with a fresh token for the audience: asked for once, however many calls, processes and replicas want it.
 * @throws Refusal `bff.session.ended`, `bff.token.refused`
 * @throws UpstreamError
 */
export type Refresh = (open: OpenSession, audience: KeyedAudience, why: Why) => Promise<OpenSession>

export interface Why {
  /** The token that an API has refused, which is no longer fresh. */
  readonly refused?: string
  /** Of the call that wants it: of several, the first one's. */
  readonly trace: Trace | undefined
}

/** What a refresh takes, under its lock: one call of the authorization server, or several, with an id of its own. */
interface Renewal extends Asking {
  readonly hold: Hold
}

type ExchangedAudience = KeyedAudience & Required<Pick<KeyedAudience, 'exchange'>>

export interface Refreshes {
  readonly refresh: Refresh
  /** Resolves when those under way have ended, and what they got is written down. */
  settled(): Promise<void>
  /** What is not written down by now is given up. */
  close(): void
}

export interface RefreshOptions {
  readonly frontend: Frontend
  readonly oauth: OAuthClient
  readonly sessions: SessionStore
  readonly store: Store
  readonly lock: Lock
  /** Seconds that one call of the authorization server may take. */
  readonly issuerTimeout: number
  readonly now: () => number
  /** Whether the session has a token that serves without a refresh. */
  readonly hasFresh: (session: Session, audience: KeyedAudience) => boolean
}

export function createRefreshes(options: RefreshOptions): Refreshes {
  const { frontend, oauth, sessions, store, lock, issuerTimeout, now, hasFresh } = options
  const writer = createSessionWriter({ sessions, now })
  const unfinished = createUnfinishedRefreshes(store)
  const readUserInfo = createUserInfoReading({ frontend, sessions })
  /** Calls of this process that wait for the same token. */
  const underway = new Map<string, Promise<OpenSession>>()

  const reopened = async (id: string): Promise<OpenSession> => {
    const session = await sessions.open(id)
    if (session === undefined) throw ended()
    return { id, session }
  }

  const refreshed = async (open: OpenSession, audience: KeyedAudience, renewal: Renewal): Promise<OpenSession> => {
    const { id, session } = open
    const { requestId, oauth, hold } = renewal
    const { refreshToken, proofKey } = session.record
    if (refreshToken === undefined) throw refusedToken()
    let tokens: TokenSet
    try {
      tokens = await oauth.refresh(refreshToken, proofKey, grantedPart(audience, session.record.grantedScopes))
      assertSameUser(tokens, session.record)
    } catch (error) {
      return afterFailure(open, audience, requestId, error)
    }
    const isToBeRead = await hasUserInfo(oauth, session.record)
    const record = {
      ...renewedRecord(session.record, tokens, audience.tokenKey),
      // Written down before it is read: whatever happens in between, it is asked for again.
      ...(isToBeRead && { userInfoDue: userInfoDue(now(), session.record.userInfoDue) }),
    }
    /** What was just issued has no session to belong to. */
    const revokeIfEnded = async (error: unknown): Promise<never> => {
      if (isEnd(error))
        await oauth.revoke(tokens.refreshToken ?? refreshToken, 'refresh_token', proofKey).catch(() => undefined)
      throw error
    }
    const written = await writer.write(open, record)
    if (written.kind === 'overtaken') return reopened(id).catch(revokeIfEnded)
    publish({ type: 'gateway.session.refreshed', frontend: frontend.name, session: session.handle, requestId })
    if (written.kind === 'saved') return isToBeRead ? withUserInfo(written.open, audience, renewal) : written.open
    hold(
      written.landed.then(async (end) => {
        if (end === 'overtaken') await reopened(id).catch(revokeIfEnded)
      }),
    )
    return written.open
  }

  /** For the token of the login, which is refreshed before where that is due, or where its last offspring was refused. */
  const exchanged = async (
    open: OpenSession,
    audience: ExchangedAudience,
    renewal: Renewal,
    isRefused: boolean,
  ): Promise<OpenSession> => {
    const { oauth, hold } = renewal
    const serves =
      open.session.record.refreshToken === undefined || (!isRefused && hasFresh(open.session, loginAudience))
    const current = serves ? open : await refreshed(open, loginAudience, renewal)
    const { record } = current.session
    const { value } = record.accessTokens[loginAudience.tokenKey] ?? refuse()
    const accessToken = await oauth.exchange(value, record.proofKey, audience).catch((error: unknown) => {
      // Whatever the server thinks of the exchange, the session has its refresh token.
      throw error instanceof ProtocolError ? refusedToken(error) : error
    })
    const written = await writer.write(current, {
      ...record,
      accessTokens: { ...record.accessTokens, [audience.tokenKey]: accessToken },
    })
    if (written.kind === 'overtaken') return reopened(open.id)
    if (written.kind === 'unsaved') hold(written.landed)
    return written.open
  }

  const hasUserInfo = async (oauth: OAuthClient, { subject }: SessionRecord): Promise<boolean> =>
    subject !== undefined && (await oauth.metadata()).userinfo_endpoint !== undefined

  /** Asked with the token that was just got, where the server's own endpoint takes it; else with that of the login. */
  const withUserInfo = async (open: OpenSession, audience: KeyedAudience, renewal: Renewal): Promise<OpenSession> => {
    const { expiresAt = Number.POSITIVE_INFINITY } = open.session.record.accessTokens[''] ?? { expiresAt: 0 }
    const tokenKey = isForServer(audience) ? audience.tokenKey : now() < expiresAt ? loginAudience.tokenKey : undefined
    if (tokenKey !== undefined) return (await readUserInfo(renewal, open, tokenKey)) ?? reopened(open.id)
    return refreshed(open, loginAudience, renewal).catch((error: unknown) => {
      if (isEnd(error)) throw error
      return open
    })
  }

  /** Only the death of the refresh token that the session still has ends it. */
  const afterFailure = async (
    open: OpenSession,
    audience: KeyedAudience,
    requestId: string,
    error: unknown,
  ): Promise<OpenSession> => {
    const { id, session } = open
    const fatal = error instanceof ProtocolError && error.code === 'invalid_grant'
    const code = error instanceof ProtocolError || error instanceof UpstreamError ? error.code : 'unexpected'
    publish({
      type: 'gateway.session.refresh-failed',
      frontend: frontend.name,
      session: session.handle,
      requestId,
      ...(session.record.subject !== undefined && { subject: session.record.subject }),
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
    { refused, trace }: Why,
  ): Promise<OpenSession> => {
    const requestId = randomUUID()
    noteTraceOf('gateway', requestId, trace)
    const served = async (): Promise<OpenSession | undefined> => {
      const latest = await reopened(id)
      const held = latest.session.record.accessTokens[audience.tokenKey]?.value
      const isRefused = refused !== undefined && held === refused
      return !isRefused && hasFresh(latest.session, audience) ? latest : undefined
    }
    const renew = (latest: OpenSession, hold: Hold): Promise<OpenSession> => {
      const { exchange } = audience
      const renewal = { requestId, oauth: oauth.forRequest(requestId), hold }
      if (exchange === undefined) return refreshed(latest, audience, renewal)
      return exchanged(latest, { ...audience, exchange }, renewal, refused !== undefined)
    }
    const name = `refresh:${session.key}`
    return lock.with(
      name,
      served,
      async (hold) => {
        const attempt = await unfinished.begin(name, served)
        const held: Promise<unknown>[] = []
        try {
          return attempt.served ?? (await renew(await reopened(id), (until) => held.push(until)))
        } finally {
          if (held.length === 0) await attempt.end()
          else hold(Promise.allSettled(held).then(attempt.end))
        }
      },
      { longestCall: issuerTimeout },
    )
  }

  return {
    refresh(open, audience, why) {
      const { refused } = why
      const unsaved = writer.unsaved(open)
      if (unsaved !== undefined && refused === undefined && hasFresh(unsaved.session, audience))
        return Promise.resolve(unsaved)
      const key = `${open.session.key} ${audience.tokenKey} ${refused ?? ''}`
      const refresh = underway.get(key) ?? underLock(open, audience, why).finally(() => underway.delete(key))
      underway.set(key, refresh)
      return refresh
    },
    async settled() {
      await Promise.allSettled(underway.values())
      await writer.settled()
    },
    close: writer.close,
  }
}

function refuse(): never {
  throw refusedToken()
}

function isEnd(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'bff.session.ended'
}

function ended(): Refusal {
  return new Refusal('bff.session.ended', 'the session has ended; log in again')
}
