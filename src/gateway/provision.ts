import type { Lock } from '../store/lock.js'
import type { Store } from '../store/store.js'
import { createAccess } from './access/access.js'
import { pageAccess, routeAccess } from './access/route-access.js'
import { clientOf, clientsOf, createAuthorities } from './authorities/authorities.js'
import { createTokensByAuthority } from './authorities/tokens-by-authority.js'
import { frontendDefaults, gatewayDefaults } from './defaults.js'
import {
  createLogoutTokenAcceptance,
  createLogoutTokenVerifier,
  logoutTokenAcceptanceByIssuer,
} from './endpoints/backchannel-logout.js'
import { createLoginDetails } from './endpoints/login-details.js'
import { createLoginTransactions } from './endpoints/login-transaction.js'
import { createUnderway } from './forwarding/in-flight.js'
import { timeoutsOf } from './forwarding/timeouts.js'
import { type Connections, createUpstreamPool } from './forwarding/upstream.js'
import { createCors } from './frontend/cors.js'
import { createFrontend, type Frontend } from './frontend/frontend.js'
import { tellOnLogout } from './hooks.js'
import { createAssertIdentity } from './identity/identity-assertion.js'
import { createRateLimits } from './limits/rate-limits.js'
import { withCertificate } from './oauth/client-certificate.js'
import { createIssuerFetch, type IssuerFetch } from './oauth/issuer-fetch.js'
import { createOAuthClient } from './oauth/oauth-client.js'
import type { FrontendOptions, GatewayOptions } from './options.js'
import { developmentServerRoute } from './page/development-server.js'
import { createPage } from './page/page.js'
import { createPopupLogins } from './popup-login/popup-logins.js'
import type { ProvisionedFrontend } from './request.js'
import type { RouteOptions } from './route-options.js'
import { createRouteMatcher, type Route } from './routing/route.js'
import type { OpenedSessions } from './session/opened-sessions.js'
import { createSessionStore, type EndedSession } from './session/session-store.js'
import type { SessionWatch } from './session/session-watch.js'
import { createSessionsPerUser } from './session/sessions-per-user.js'
import { createRouteStepUp } from './step-up/route-step-up.js'
import { createStepUp } from './step-up/step-up.js'
import { createAccessTokens } from './tokens/access-tokens.js'
import type { EndedSessions } from './tokens/ended-sessions.js'
import { audiencesOf } from './tokens/token-audience.js'
import { type RevokingFrontend, tellNotRevoked } from './tokens/token-revocation.js'

/** What all frontends have in common. */
export interface SharedServices extends GatewayOptions {
  readonly fetch: IssuerFetch
  readonly now: () => number
  readonly opened: OpenedSessions
  readonly watch: SessionWatch
  readonly connections: Connections
  readonly count: Store['count']
  readonly lock: Lock
}

/** Undefined: what ended sessions leave is not revoked. Loaded by those who ask for it. */
function endedSessionsOf(frontend: RevokingFrontend): Promise<EndedSessions> | undefined {
  const { revokeEndedSessions = frontendDefaults.revokeEndedSessions } = frontend.options
  if (!revokeEndedSessions) return undefined
  return import('./tokens/ended-sessions.js').then(({ createEndedSessions }) => createEndedSessions({ frontend }))
}

/** A configured frontend, with everything that works for it. */
export function provisionFrontend(options: FrontendOptions, shared: SharedServices): ProvisionedFrontend {
  const { store, seal, branding, onLogin, onLogout, fetch, now, opened, watch, connections, count, lock } = shared
  const { issuerTimeout = gatewayDefaults.issuerTimeout, administered = gatewayDefaults.administered } = shared
  const frontend = { ...createFrontend(options), branding }
  const { name, clientCertificate, authorities } = options
  const way = { ca: shared.issuerCa, httpProxy: shared.httpProxy, certificate: clientCertificate }
  const certified = clientCertificate && createIssuerFetch(issuerTimeout, way)
  const clients = clientsOf(options).map((client) => {
    const own = { ...frontend, ...client }
    const oauth = createOAuthClient({ frontend: own, fetch: certified ?? fetch, timeout: issuerTimeout, now })
    return { ...own, oauth, endedSessions: endedSessionsOf({ ...own, oauth }) }
  })
  const revokeLeft = (handle: string, left: NonNullable<EndedSession['left']>): void => {
    const client = left === 'unreadable' ? clients[0] : clientOf(clients, { claims: {}, ...left })
    if (client === undefined) tellNotRevoked(frontend, handle, 'refresh_token', 'unknown_authority')
    else void client.endedSessions?.then((ended) => ended.revoke(handle, left))
  }
  const onEnd = ({ key, handle, subject, cause, wasThere, left }: EndedSession): void => {
    watch.ended(key)
    if (left !== undefined) revokeLeft(handle, left)
    if (onLogout !== undefined && wasThere && cause !== 'login')
      tellOnLogout(onLogout, { frontend: options.name, session: handle, subject, cause })
  }
  const sessions = createSessionStore({ store, seal, frontend, opened, now, onEnd, keepsOwners: administered })
  const access = createAccess(options.access ?? [], now)
  const stepUp = createStepUp({ name: options.name, seal, store, now })
  const audiences = audiencesOf(options)
  const limitsOf = createRateLimits(options, count)
  const ready = (route: RouteOptions): Route =>
    provisionRoute(withCertificate(route, options), connections, {
      audiences: audiences(route),
      limitRate: limitsOf(route),
      stepUp: createRouteStepUp(route, stepUp, now),
      assertIdentity: createAssertIdentity(route, options, now),
      ...routeAccess(route, options, now),
    })
  const routes = options.routes.map(ready)
  const toDevelopmentServer = developmentServerRoute(options)
  const pageRoute = toDevelopmentServer && {
    ...ready(toDevelopmentServer),
    ...pageAccess(access, options),
    // Files of a page, as those of a folder: a development build has hundreds.
    limitRate: undefined,
  }
  const common = {
    ...frontend,
    sessions,
    watch,
    sessionsPerUser: createSessionsPerUser(options.sessionsPerUser, { name: frontend.name, sessions, lock }),
    transactions: createLoginTransactions(store, seal, frontend, now),
    popupLogins: options.embedding && createPopupLogins({ name, store, seal, now, asks: authorities !== undefined }),
    access,
    now,
    stepUp,
    loginDetails: createLoginDetails(options),
    authorities: undefined,
    routes,
    matchRoute: createRouteMatcher(options.pathPrefix, routes),
    page: createPage(options, pageRoute),
    allowOrigin: createCors(options, frontend.answerHeaders),
    onLogin,
    underway: createUnderway(),
    async warm() {
      await Promise.allSettled([...clients.map(({ oauth }) => oauth.warm()), ...routes.map(({ pool }) => pool.warm())])
    },
    async settled() {
      await Promise.all(all.map(({ tokens }) => tokens.settled()))
      await Promise.all(clients.map(({ endedSessions }) => endedSessions?.then((ended) => ended.settled())))
    },
    close() {
      for (const { tokens } of all) tokens.close()
      for (const route of routes) route.pool.close()
      pageRoute?.pool.close()
      void certified?.close()
    },
  }
  const all = clients.map(({ endedSessions: _, ...client }): ProvisionedFrontend => {
    const verify = createLogoutTokenVerifier({ ...client, sessions }, now)
    return {
      ...common,
      ...client,
      tokens: createAccessTokens({ frontend: client, oauth: client.oauth, sessions, store, lock, issuerTimeout, now }),
      acceptLogoutToken: createLogoutTokenAcceptance({ ...client, sessions }, verify, store),
    }
  })
  return ofAll(frontend, all)
}

/** One that has several is none of them: whatever its sessions need comes from their own. */
function ofAll(frontend: Frontend, all: readonly ProvisionedFrontend[]): ProvisionedFrontend {
  const [first] = all
  if (first === undefined) throw new TypeError('a frontend has at least one authorization server')
  if (first.authority === undefined) return first
  const authorities = createAuthorities(all)
  return {
    ...first,
    ...frontend,
    authority: undefined,
    authorities,
    tokens: createTokensByAuthority(authorities, first.routes),
    acceptLogoutToken: logoutTokenAcceptanceByIssuer(authorities),
  }
}

/** A configured route, with what its calls need. @param own What it has from its frontend. */
export function provisionRoute(
  options: RouteOptions,
  connections: Connections,
  own: Pick<Route, 'audiences' | 'limitRate' | 'stepUp' | 'assertIdentity' | 'mayIn' | 'session'>,
): Route {
  return {
    ...options,
    ...own,
    timeouts: timeoutsOf(options.timeouts),
    pool: createUpstreamPool(options, connections),
  }
}
