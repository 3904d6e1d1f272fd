import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { ProtocolError, UpstreamError } from '../../errors.js'
import { createWindowedCounts } from '../../http/limits/windowed-counts.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import type { Frontend } from '../frontend/frontend.js'
import { grantOf, type OAuthClient, type TokenSet } from '../oauth/oauth-client.js'
import { serverSaid } from '../oauth/server-said.js'
import type { RouteOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { AccessToken, OpenSession, Session, SessionRecord } from '../session/session-record.js'
import type { SessionStore } from '../session/session-store.js'
import { createClientCredentials } from './client-credentials.js'
import type { Credentials } from './credentials.js'
import { audienceKey, refusedToken, type TokenAudience } from './token-audience.js'

export interface AccessTokens {
  /** The user's token for this route, refreshed when it is due: once, however many calls, processes and replicas ask. */
  ofUser(open: OpenSession, route: RouteOptions): Promise<UserCredentials> | UserCredentials
  /** The gateway's own token. */
  ofClient(route: RouteOptions): Promise<Credentials>
}

export interface UserCredentials {
  readonly credentials: Credentials
  readonly refreshed: boolean
}

export interface AccessTokensOptions {
  readonly frontend: Frontend
  readonly oauth: OAuthClient
  readonly sessions: SessionStore
  readonly store: Store
  readonly now: () => number
}

/** Seconds for which a lock outlives a process that died with it. Its owner renews it three times as often. */
const lockLifetime = 6
/** Seconds to wait for another process's refresh. */
const patience = 30
/** Seconds without another try after the server could not be reached, while the old token still lives. */
const pause = 5

export function createAccessTokens({ frontend, oauth, sessions, store, now }: AccessTokensOptions): AccessTokens {
  const { refreshGracePeriod } = frontend.options.session
  const isFresh = ({ expiresAt }: AccessToken): boolean =>
    expiresAt === undefined || now() < expiresAt - refreshGracePeriod
  const { resources: granted } = grantOf(frontend.options)
  /** The token of the login is the one of a route for the only resource that the login named. */
  const keyOf = (audience: TokenAudience): string =>
    granted.size === 1 && audience.scopes.length === 0 && granted.has(audience.resource ?? '')
      ? ''
      : audienceKey(audience)
  const isAlive = ({ expiresAt }: AccessToken): boolean => expiresAt === undefined || now() < expiresAt

  /** Calls that wait for the same token. The lock in the store keeps refreshes of one session apart, here and elsewhere. */
  const underway = new Map<string, Promise<OpenSession>>()
  const paused = createWindowedCounts({ window: pause, now })

  const refreshOnce = (open: OpenSession, audience: TokenAudience): Promise<OpenSession> => {
    const key = `${open.session.key} ${keyOf(audience)}`
    const refresh = underway.get(key) ?? refreshUnderLock(open, audience).finally(() => underway.delete(key))
    underway.set(key, refresh)
    return refresh
  }

  /** The token that serves without a refresh. A server may end idle refresh tokens long before the access token ends. */
  const freshTokenOf = (
    { accessTokens, refreshTokenRenewAt = Number.POSITIVE_INFINITY }: SessionRecord,
    audience: string,
  ): AccessToken | undefined => {
    const token = accessTokens[audience]
    return token !== undefined && isFresh(token) && now() < refreshTokenRenewAt ? token : undefined
  }
  const hasFresh = ({ record }: Session, audience: TokenAudience): boolean =>
    freshTokenOf(record, keyOf(audience)) !== undefined

  const refreshUnderLock = async ({ id, session }: OpenSession, audience: TokenAudience): Promise<OpenSession> => {
    const lock = `refresh:${session.key}`
    const owner = randomUUID()
    const deadline = now() + patience
    while (!(await store.addIfAbsent(lock, owner, now() + lockLifetime))) {
      if (now() > deadline) throw new UpstreamError('timeout', 'another process did not finish its refresh')
      await delay(50)
      const latest = await reopened(id)
      if (hasFresh(latest.session, audience)) return latest
    }
    const renewal = setInterval(
      () => void store.replace(lock, owner, owner, now() + lockLifetime).catch(() => undefined),
      (lockLifetime * 1000) / 3,
    )
    try {
      // The process that held the lock before may have done it.
      const latest = await reopened(id)
      return hasFresh(latest.session, audience) ? latest : await refreshed(latest, audience)
    } finally {
      clearInterval(renewal)
      await store.deleteIf(lock, owner).catch(() => undefined)
    }
  }

  const refreshed = async (open: OpenSession, audience: TokenAudience): Promise<OpenSession> => {
    const { id, session } = open
    const { refreshToken, proofKey } = session.record
    if (refreshToken === undefined) throw refusedToken()
    let tokens: TokenSet
    try {
      tokens = await oauth.refresh(refreshToken, proofKey, audience)
      assertSameUser(tokens, session.record)
    } catch (error) {
      return afterFailure(open, audience, error)
    }
    const record = renewed(session.record, tokens, keyOf(audience))
    const replaced = await persistently(() => sessions.replace(id, session, record))
    if (replaced === undefined) {
      // Ended or overtaken meanwhile. What was just issued has no session to belong to.
      const latest = await reopened(id).catch(async (error: unknown) => {
        await oauth.revoke(tokens.refreshToken ?? refreshToken, 'refresh_token', proofKey).catch(() => undefined)
        throw error
      })
      return latest
    }
    publish({ type: 'gateway.session.refreshed', frontend: frontend.name, session: session.handle })
    return { id, session: replaced }
  }

  /** Only the death of the refresh token that the session still has ends it. */
  const afterFailure = async (open: OpenSession, audience: TokenAudience, error: unknown): Promise<OpenSession> => {
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

  const reopened = async (id: string): Promise<OpenSession> => {
    const session = await sessions.open(id)
    if (session === undefined) throw ended()
    return { id, session }
  }

  const credentialsOf = ({ prover }: Pick<Session, 'prover'>, { value }: AccessToken): Credentials =>
    prover === undefined ? { kind: 'bearer', accessToken: value } : { kind: 'dpop', accessToken: value, prover }

  /** @param held what still serves when the server is down or refuses at the moment */
  const refreshedOf = async (
    open: OpenSession,
    route: RouteOptions,
    held: AccessToken | undefined,
  ): Promise<UserCredentials> => {
    try {
      const { session } = await refreshOnce(open, route)
      const token = session.record.accessTokens[keyOf(route)]
      if (token === undefined) throw refusedToken()
      return { credentials: credentialsOf(session, token), refreshed: true }
    } catch (error) {
      if (held === undefined || (error instanceof Refusal && error.code === 'bff.session.ended')) throw error
      paused.add(open.session.key)
      return { credentials: credentialsOf(open.session, held), refreshed: false }
    }
  }

  return {
    ofUser(open, route) {
      const audience = keyOf(route)
      const fresh = freshTokenOf(open.session.record, audience)
      if (fresh !== undefined) return { credentials: credentialsOf(open.session, fresh), refreshed: false }
      const held = open.session.record.accessTokens[audience]
      const canWait = held !== undefined && isAlive(held)
      // Without a refresh token there is nothing to try: the token serves to its end.
      if (canWait && (open.session.record.refreshToken === undefined || paused.wait(open.session.key, 1) > 0))
        return { credentials: credentialsOf(open.session, held), refreshed: false }
      return refreshedOf(open, route, canWait ? held : undefined)
    },
    ofClient: createClientCredentials(frontend, oauth, now),
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
function renewed(record: SessionRecord, { accessToken, claims, ...tokens }: TokenSet, audience: string): SessionRecord {
  const { session_expiry: sessionExpiry } = claims ?? {}
  return {
    ...record,
    ...tokens,
    claims: { ...record.claims, ...claims },
    ...(typeof sessionExpiry === 'number' && { sessionExpiry }),
    accessTokens: { ...record.accessTokens, [audience]: accessToken },
  }
}

/** A rotated refresh token that is not written down is a session lost: a store that blinks gets a few more tries. */
async function persistently<Result>(write: () => Promise<Result>): Promise<Result> {
  for (const wait of [100, 400, 1500]) {
    try {
      return await write()
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error
      await delay(wait)
    }
  }
  return write()
}

function ended(): Refusal {
  return new Refusal('bff.session.ended', 'the session has ended; log in again')
}
