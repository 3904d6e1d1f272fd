import type { FrontendOptions, RouteOptions } from '../options.js'
import type { RequestTarget } from '../routing/request-target.js'
import type { RouteMatch } from '../routing/route.js'

const routes = new WeakMap<FrontendOptions, RouteOptions>()

/**
 * A page that a development server serves: everything that is not ours goes there unchanged, without a token, with its
 * socket for hot reloading. Undefined when there is none.
 */
export function developmentServerRoute(frontend: FrontendOptions): RouteOptions | undefined {
  const { developmentServer } = frontend
  if (developmentServer === undefined) return undefined
  const known = routes.get(frontend)
  if (known !== undefined) return known
  const route: RouteOptions = {
    path: '/',
    upstreams: [new URL(developmentServer.origin)],
    stripPath: false,
    methods: [],
    tokenType: 'None',
    scopes: [],
    // It restarts all the time.
    circuitBreaker: { failures: Number.POSITIVE_INFINITY },
    webSocket: { pingInterval: 0 },
  }
  routes.set(frontend, route)
  return route
}

/** The whole path goes there, for the page is built for the place where it is seen. */
export function matchDevelopmentServer(
  frontend: FrontendOptions,
  { path, query }: RequestTarget,
): RouteMatch | undefined {
  const route = developmentServerRoute(frontend)
  return route && { route, upstreamTarget: path + query, removedPrefix: '' }
}
