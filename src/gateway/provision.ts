import type { Store } from '../store/store.js'
import { type Access, createAccess } from './access/access.js'
import { gatewayDefaults } from './defaults.js'
import { createLogoutTokenAcceptance, createLogoutTokenVerifier } from './endpoints/backchannel-logout.js'
import { createLoginTransactions } from './endpoints/login-transaction.js'
import { timeoutsOf } from './forwarding/timeouts.js'
import { type Connections, createUpstreamPool } from './forwarding/upstream.js'
import { createCors } from './frontend/cors.js'
import { createFrontend } from './frontend/frontend.js'
import { tellOnLogout } from './hooks.js'
import { createRateLimits } from './limits/rate-limits.js'
import type { IssuerFetch } from './oauth/issuer-fetch.js'
import { createOAuthClient } from './oauth/oauth-client.js'
import type { FrontendOptions, GatewayOptions } from './options.js'
import { developmentServerRoute } from './page/development-server.js'
import { createPage } from './page/page.js'
import type { ProvisionedFrontend } from './request.js'
import type { AccessRule, RouteOptions } from './route-options.js'
import { createRouteMatcher, type Route } from './routing/route.js'
import type { OpenedSessions } from './session/opened-sessions.js'
import { createSessionStore, type EndedSession } from './session/session-store.js'
import type { SessionWatch } from './session/session-watch.js'
import { createSessionsPerUser } from './session/sessions-per-user.js'
import { createRouteStepUp } from './step-up/route-step-up.js'
import { createStepUp } from './step-up/step-up.js'
import { createAccessTokens } from './tokens/access-tokens.js'
import { audiencesOf, mayBeOfClient } from './tokens/token-audience.js'

/** What all frontends have in common. */
export interface SharedServices extends GatewayOptions {
  readonly fetch: IssuerFetch
  readonly now: () => number
  readonly opened: OpenedSessions
  readonly watch: SessionWatch
  readonly connections: Connections
  readonly count: Store['count']
}

/** A configured frontend, with everything that works for it. */
export function provisionFrontend(options: FrontendOptions, shared: SharedServices): ProvisionedFrontend {
  const { store, seal, branding, onLogin, onLogout, fetch, now, opened, watch, connections, count } = shared
  const { issuerTimeout = gatewayDefaults.issuerTimeout } = shared
  const frontend = { ...createFrontend(options), branding }
  const oauth = createOAuthClient({ frontend, fetch, timeout: issuerTimeout, now })
  const onEnd = ({ key, handle, subject, cause, wasThere }: EndedSession): void => {
    watch.ended(key)
    if (onLogout !== undefined && wasThere && cause !== 'login')
      tellOnLogout(onLogout, { frontend: options.name, session: handle, subject, cause })
  }
  const sessions = createSessionStore({ store, seal, frontend, opened, now, onEnd })
  const verifyLogoutToken = createLogoutTokenVerifier({ options, oauth, sessions }, now)
  const access = createAccess(options.access ?? [], now)
  const stepUp = createStepUp({ name: options.name, seal, store, now })
  const audiences = audiencesOf(options)
  const limitsOf = createRateLimits(options, count)
  const ready = (route: RouteOptions): Route =>
    provisionRoute(route, connections, {
      audiences: audiences(route),
      limitRate: limitsOf(route),
      stepUp: createRouteStepUp(route, stepUp, now),
      ...routeAccess(route, options.access, now),
    })
  const routes = options.routes.map(ready)
  const toDevelopmentServer = developmentServerRoute(options)
  // Open like a folder: a session that is there has to be one that may in.
  const pageRoute = toDevelopmentServer && { ...ready(toDevelopmentServer), ...openPage(access) }
  return {
    ...frontend,
    oauth,
    sessions,
    watch,
    sessionsPerUser: createSessionsPerUser(options.sessionsPerUser, { name: frontend.name, sessions, store, now }),
    transactions: createLoginTransactions(store, seal, frontend, now),
    access,
    now,
    stepUp,
    tokens: createAccessTokens({ frontend, oauth, sessions, store, now }),
    matchRoute: createRouteMatcher(options.pathPrefix, routes),
    page: createPage(options, pageRoute),
    allowOrigin: createCors(options, frontend.answerHeaders),
    onLogin,
    acceptLogoutToken: createLogoutTokenAcceptance({ name: frontend.name, sessions }, verifyLogoutToken, store),
    close() {
      for (const route of routes) route.pool.close()
      pageRoute?.pool.close()
    },
  }
}

/** A configured route, with what its calls need. @param own What it has from its frontend. */
export function provisionRoute(options: RouteOptions, connections: Connections, own: OwnOfRoute): Route {
  return {
    ...options,
    ...own,
    timeouts: timeoutsOf(options.timeouts),
    pool: createUpstreamPool(options, connections),
  }
}

type OwnOfRoute = Pick<Route, 'audiences' | 'limitRate' | 'stepUp' | 'mayIn' | 'session'>
type RouteAccess = Pick<Route, 'mayIn' | 'session'>

/**
 * `None` looks at no user: neither rules nor sessions are for it. The gateway's own token is not for those whom rules keep out,
 * so that its routes need a session where there are rules.
 */
export function routeAccess(
  { access: own = [], tokenType }: RouteOptions,
  ofFrontend: readonly AccessRule[] = [],
  now?: () => number,
): RouteAccess {
  if (tokenType === 'None') return { mayIn: undefined, session: 'none' }
  const mayIn = createAccess([...ofFrontend, ...own], now)
  if (tokenType === 'Client' && mayIn === undefined) return { mayIn, session: 'none' }
  const needsUser = tokenType === 'User' || (mayIn !== undefined && mayBeOfClient(tokenType))
  return { mayIn, session: needsUser ? 'required' : 'optional' }
}

function openPage(mayIn: Access | undefined): RouteAccess {
  return { mayIn, session: mayIn === undefined ? 'none' : 'optional' }
}
