import { createWindowedCounts } from '../../http/limits/windowed-counts.js'
import type { Store } from '../../store/store.js'
import type { Frontend } from '../frontend/frontend.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import { Refusal } from '../refusal.js'
import type { AccessToken, OpenSession, Session, SessionRecord } from '../session/session-record.js'
import type { SessionStore } from '../session/session-store.js'
import { createClientCredentials } from './client-credentials.js'
import type { Credentials } from './credentials.js'
import { createRefresh } from './refresh.js'
import { createReplacement } from './replacement.js'
import { type KeyedAudience, loginAudience, type RouteAudiences, refusedToken } from './token-audience.js'

export interface AccessTokens {
  /** The user's token for this route, refreshed when it is due. At once when there is nothing to wait for. */
  ofUser(open: OpenSession, route: KeyedAudience): Promise<UserCredentials> | UserCredentials
  /** The session with claims as current as its tokens: refreshed when that is due. For calls that take no token of the user. */
  current(open: OpenSession): Promise<OpenSession>
  /** The gateway's own token. */
  ofClient(audience: KeyedAudience): Promise<Credentials>
  /**
   * Another token than the one that an API has refused as invalid: what another call or replica has got meanwhile, or a new
   * one, once a minute. Undefined: there is none, and the refusal stands.
   * @throws Refusal `bff.session.ended`
   */
  insteadOf(
    refused: string,
    open: OpenSession | undefined,
    audiences: RouteAudiences,
  ): Promise<UserCredentials | undefined>
}

export interface UserCredentials {
  readonly credentials: Credentials
  /** The session as the refresh has left it; undefined when there was none. */
  readonly refreshed: OpenSession | undefined
}

export interface AccessTokensOptions {
  readonly frontend: Frontend
  readonly oauth: OAuthClient
  readonly sessions: SessionStore
  readonly store: Store
  readonly now: () => number
}

/** Seconds without another try after the server could not be reached, while the old token still lives. */
const pause = 5

export function createAccessTokens({ frontend, oauth, sessions, store, now }: AccessTokensOptions): AccessTokens {
  const { refreshGracePeriod } = frontend.options.session
  const isFresh = ({ expiresAt }: AccessToken): boolean =>
    expiresAt === undefined || now() < expiresAt - refreshGracePeriod
  const isAlive = ({ expiresAt }: AccessToken): boolean => expiresAt === undefined || now() < expiresAt

  /** The token that serves without a refresh. A server may end idle refresh tokens long before the access token ends. */
  const freshTokenOf = (
    { accessTokens, refreshTokenRenewAt = Number.POSITIVE_INFINITY, userInfoDue }: SessionRecord,
    tokenKey: string,
  ): AccessToken | undefined => {
    const token = accessTokens[tokenKey]
    const renewAt = Math.min(refreshTokenRenewAt, userInfoDue?.retryAt ?? Number.POSITIVE_INFINITY)
    return token !== undefined && isFresh(token) && now() < renewAt ? token : undefined
  }
  const refresh = createRefresh({
    frontend,
    oauth,
    sessions,
    store,
    now,
    hasFresh: ({ record }, { tokenKey }) => freshTokenOf(record, tokenKey) !== undefined,
  })

  const paused = createWindowedCounts({ window: pause, now })
  const ofClient = createClientCredentials(frontend, oauth, now)
  const replacement = createReplacement({ sessions, refresh, freshTokenOf, now })

  /** @param held what still serves when the server is down or refuses at the moment */
  const refreshedOf = async (
    open: OpenSession,
    route: KeyedAudience,
    held: AccessToken | undefined,
  ): Promise<UserCredentials> => {
    try {
      const refreshed = await refresh(open, route)
      const token = refreshed.session.record.accessTokens[route.tokenKey]
      if (token === undefined) throw refusedToken()
      return { credentials: credentialsOf(refreshed.session, token), refreshed }
    } catch (error) {
      if (held === undefined || (error instanceof Refusal && error.code === 'bff.session.ended')) throw error
      paused.add(open.session.key)
      return { credentials: credentialsOf(open.session, held), refreshed: undefined }
    }
  }

  const ofUser: AccessTokens['ofUser'] = (open, route) => {
    const { session } = open
    const fresh = freshTokenOf(session.record, route.tokenKey)
    if (fresh !== undefined) return { credentials: credentialsOf(session, fresh), refreshed: undefined }
    const token = session.record.accessTokens[route.tokenKey]
    const held = token !== undefined && isAlive(token) ? token : undefined
    // Without a refresh token there is nothing to try: the token serves to its end.
    const mustWait = session.record.refreshToken === undefined || paused.wait(session.key, 1) > 0
    if (held !== undefined && mustWait) return { credentials: credentialsOf(session, held), refreshed: undefined }
    return refreshedOf(open, route, held)
  }

  return {
    ofUser,
    current: async (open) => (await ofUser(open, loginAudience)).refreshed ?? open,
    ofClient: ofClient.of,

    async insteadOf(refused, open, audiences) {
      if (open === undefined) {
        const credentials = await ofClient.insteadOf(refused, audiences.ofClient)
        return credentials && { credentials, refreshed: undefined }
      }
      const found = await replacement(refused, open, audiences.ofUser)
      if (found === undefined) return undefined
      const { session, token } = found
      return { credentials: credentialsOf(session, token), refreshed: { id: open.id, session } }
    },
  }
}

function credentialsOf({ prover }: Pick<Session, 'prover'>, { value }: AccessToken): Credentials {
  return prover === undefined ? { kind: 'bearer', accessToken: value } : { kind: 'dpop', accessToken: value, prover }
}
