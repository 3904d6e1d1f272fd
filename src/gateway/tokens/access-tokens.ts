import { setTimeout as delay } from 'node:timers/promises'
import { createWindowedCounts } from '../../http/limits/windowed-counts.js'
import type { Trace } from '../../telemetry/trace.js'
import { Refusal } from '../refusal.js'
import type { AccessToken, OpenSession, Session, SessionRecord } from '../session/session-record.js'
import { createClientCredentials } from './client-credentials.js'
import type { Credentials } from './credentials.js'
import { createRefreshes, type RefreshOptions } from './refresh.js'
import { createReplacement } from './replacement.js'
import { type KeyedAudience, loginAudience, type RouteAudiences, refusedToken } from './token-audience.js'

export interface AccessTokens {
  /**
   * The user's token for this route. One that is due serves while it lives, and is refreshed beside the call: a server that
   * hangs costs no caller anything.
   * @param needs asked when the token is due
   * @param trace of the call: what it has the authorization server asked is in it. So everywhere here
   */
  ofUser(
    open: OpenSession,
    route: KeyedAudience,
    needs: () => Needs,
    trace?: Trace | undefined,
  ): Promise<UserCredentials> | UserCredentials
  /** The session with claims as current as its tokens: refreshed when that is due. For calls that take no token of the user. */
  current(open: OpenSession, trace?: Trace | undefined): Promise<OpenSession>
  /** The gateway's own token. */
  ofClient(audience: KeyedAudience, trace?: Trace | undefined): Promise<Credentials>
  /**
   * Another token than the one that an API has refused as invalid: what another call or replica has got meanwhile, or a new
   * one, once a minute. Undefined: there is none, and the refusal stands.
   * @throws Refusal `bff.session.ended`
   */
  insteadOf(
    refused: string,
    open: OpenSession | undefined,
    audiences: RouteAudiences,
    trace?: Trace | undefined,
  ): Promise<UserCredentials | undefined>
  /** Resolves when the refreshes under way have ended and are written down. */
  settled(): Promise<void>
  close(): void
}

/** What a call wants of a session whose token is due. For claims a refresh is waited for, for a moment. */
export type Needs = 'token' | 'claims'

export interface UserCredentials {
  readonly credentials: Credentials
  /** The session as the refresh has left it; undefined when there was none. */
  readonly refreshed: OpenSession | undefined
}

export type AccessTokensOptions = Omit<RefreshOptions, 'hasFresh'>

/** Seconds for which claims that are due are waited for, while the old token still lives. */
const patience = 1
/** Seconds without another try after the server could not be reached, while the old token still lives. */
const pause = 5

export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { frontend, oauth, sessions, now } = options
  const { refreshGracePeriod } = frontend.options.session
  // Of a certificate that has been replaced no API takes a token any more.
  const isFresh = ({ expiresAt, boundTo }: AccessToken): boolean =>
    boundTo === frontend.boundTo && (expiresAt === undefined || now() < expiresAt - refreshGracePeriod)
  const isAlive = ({ expiresAt, boundTo }: AccessToken): boolean =>
    boundTo === frontend.boundTo && (expiresAt === undefined || now() < expiresAt)

  /** The token that serves without a refresh. A server may end idle refresh tokens long before the access token ends. */
  const freshTokenOf = (
    { accessTokens, refreshTokenRenewAt = Number.POSITIVE_INFINITY, userInfoDue }: SessionRecord,
    tokenKey: string,
  ): AccessToken | undefined => {
    const token = accessTokens[tokenKey]
    const renewAt = Math.min(refreshTokenRenewAt, userInfoDue?.retryAt ?? Number.POSITIVE_INFINITY)
    return token !== undefined && isFresh(token) && now() < renewAt ? token : undefined
  }
  const { refresh, settled, close } = createRefreshes({
    ...options,
    hasFresh: ({ record }, { tokenKey }) => freshTokenOf(record, tokenKey) !== undefined,
  })

  const paused = createWindowedCounts({ window: pause, now })
  const ofClient = createClientCredentials(frontend, oauth, now)
  const replacement = createReplacement({ sessions, refresh, freshTokenOf, now })

  const refreshedOf = async (
    open: OpenSession,
    route: KeyedAudience,
    trace: Trace | undefined,
  ): Promise<UserCredentials> => {
    const refreshed = await refresh(open, route, { trace })
    const token = refreshed.session.record.accessTokens[route.tokenKey]
    if (token === undefined) throw refusedToken()
    return { credentials: credentialsOf(refreshed.session, token), refreshed }
  }

  /** Sessions that are being refreshed beside their calls. */
  const beside = new Set<string>()
  const refreshBeside = (open: OpenSession, route: KeyedAudience, trace: Trace | undefined): void => {
    const { key } = open.session
    if (beside.has(key)) return
    beside.add(key)
    // Its failure has been told, and the next call finds out what has become of the session.
    refreshedOf(open, route, trace)
      .catch(() => paused.add(key))
      .finally(() => beside.delete(key))
  }

  /** The old token serves when the server is down, refuses at the moment, or takes long. */
  const refreshedSoon = async (
    open: OpenSession,
    route: KeyedAudience,
    held: UserCredentials,
    trace: Trace | undefined,
  ): Promise<UserCredentials> => {
    const moment = new AbortController()
    const inVain = delay(patience * 1000, undefined, { signal: moment.signal }).then(() => undefined)
    try {
      const refreshed = await Promise.race([refreshedOf(open, route, trace), inVain])
      if (refreshed !== undefined) return refreshed
    } catch (error) {
      if (error instanceof Refusal && error.code === 'bff.session.ended') throw error
    } finally {
      inVain.catch(() => undefined)
      moment.abort()
    }
    paused.add(open.session.key)
    return held
  }

  const ofUser: AccessTokens['ofUser'] = (open, route, needs, trace) => {
    const { session } = open
    const fresh = freshTokenOf(session.record, route.tokenKey)
    if (fresh !== undefined) return { credentials: credentialsOf(session, fresh), refreshed: undefined }
    const token = session.record.accessTokens[route.tokenKey]
    if (token === undefined || !isAlive(token)) return refreshedOf(open, route, trace)
    const held = { credentials: credentialsOf(session, token), refreshed: undefined }
    // Without a refresh token there is nothing to try: the token serves to its end.
    if (session.record.refreshToken === undefined || paused.wait(session.key, 1) > 0) return held
    if (needs() === 'claims') return refreshedSoon(open, route, held, trace)
    refreshBeside(open, route, trace)
    return held
  }

  return {
    ofUser,
    current: async (open, trace) => (await ofUser(open, loginAudience, () => 'claims', trace)).refreshed ?? open,
    ofClient: ofClient.of,
    settled,
    close,

    async insteadOf(refused, open, audiences, trace) {
      if (open === undefined) {
        const credentials = await ofClient.insteadOf(refused, audiences.ofClient, trace)
        return credentials && { credentials, refreshed: undefined }
      }
      const found = await replacement(refused, open, audiences.ofUser, trace)
      if (found === undefined) return undefined
      const { session, token } = found
      return { credentials: credentialsOf(session, token), refreshed: { id: open.id, session } }
    },
  }
}

function credentialsOf({ prover }: Pick<Session, 'prover'>, { value }: AccessToken): Credentials {
  return prover === undefined ? { kind: 'bearer', accessToken: value } : { kind: 'dpop', accessToken: value, prover }
}
