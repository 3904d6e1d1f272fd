import type { FrontendOptions } from '../options.js'
import type { RouteOptions } from '../route-options.js'

/**
 * A page that a development server serves: everything that is not ours goes there unchanged, without a token, with its
 * socket for hot reloading. Undefined when there is none.
 */
export function developmentServerRoute({ developmentServer }: FrontendOptions): RouteOptions | undefined {
  if (developmentServer === undefined) return undefined
  return {
    path: '/',
    upstreams: [new URL(developmentServer.origin)],
    stripPath: false,
    methods: [],
    tokenType: 'None',
    // No public route: it runs what it is asked for on a developer's machine.
    requireCsrfHeader: true,
    scopes: [],
    // It restarts all the time.
    circuitBreaker: { failures: Number.POSITIVE_INFINITY },
    webSocket: { pingInterval: 0 },
  }
}
