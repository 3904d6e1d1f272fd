import { routeAccess } from '../../gateway/access/route-access.js'
import type { RateLimitOptions } from '../../gateway/limits/limit-options.js'
import type { FrontendOptions } from '../../gateway/options.js'
import type { AccessRule, RouteOptions, TokenType } from '../../gateway/route-options.js'
import { audiencesOf, scopesOfToken } from '../../gateway/tokens/token-audience.js'
import { unixSocketText } from '../../http/unix-socket.js'
import { type Scheme, schemeOf } from '../scheme.js'

/** What one frontend lets through. */
export interface ListedFrontend {
  readonly pointer: string
  readonly name: string
  /** Where browsers find it. */
  readonly url: string
  /** What needs a session: calls of routes, or the page as well. */
  readonly requireLogin: 'Calls' | 'Page'
  /** Origins besides its own whose pages may call with its cookie. */
  readonly otherOrigins: readonly string[]
  readonly access: readonly AccessRule[]
  readonly rateLimits: readonly RateLimitOptions[]
  readonly routes: readonly ListedRoute[]
}

export interface ListedRoute {
  readonly pointer: string
  /** As the browser asks for it. */
  readonly path: string
  /** Empty: all but TRACE and CONNECT. */
  readonly methods: readonly string[]
  readonly tokenType: TokenType
  readonly scheme: Scheme
  /** `required`: without one 401. `optional`: it is used where it is there. */
  readonly session: 'required' | 'optional' | 'none'
  /** Of its token. Empty: what the server gives by itself. */
  readonly scopes: readonly string[]
  readonly resource?: string
  /** Its own; those of the frontend hold as well. */
  readonly access: readonly AccessRule[]
  /** Its own; those of the frontend count as well. */
  readonly rateLimits: readonly RateLimitOptions[]
  /** Bytes of a body. Absent: any. */
  readonly bodyLimit?: number
  readonly requireCsrfHeader: boolean
  readonly upstreams: readonly string[]
  /** Unix sockets that lead there, in place of host and port. */
  readonly sockets?: readonly string[]
}

/** Every frontend with its routes, the longest path first, as they are matched. */
export function listRoutes(frontends: readonly FrontendOptions[]): readonly ListedFrontend[] {
  return frontends.map((frontend, index) => {
    const pointer = `/Bff/Frontends/${index}`
    return {
      pointer,
      name: frontend.name,
      url: `${frontend.publicUrl.origin}${frontend.pathPrefix}/`,
      requireLogin: frontend.requireLogin ?? 'Calls',
      otherOrigins: frontend.cors?.origins ?? (frontend.clientUrl === undefined ? [] : [frontend.clientUrl.origin]),
      access: frontend.access ?? [],
      rateLimits: frontend.rateLimits ?? [],
      routes: frontend.routes
        .map((route, number) => listed(frontend, route, `${pointer}/Routes/${number}`))
        .sort((left, right) => right.path.length - left.path.length),
    }
  })
}

function listed(frontend: FrontendOptions, route: RouteOptions, pointer: string): ListedRoute {
  return {
    pointer,
    path: frontend.pathPrefix + route.path,
    methods: route.methods,
    tokenType: route.tokenType,
    scheme: schemeOf(route, frontend),
    session: routeAccess(route, frontend).session,
    scopes: scopesOfToken(frontend, route, audiencesOf(frontend)(route)),
    ...(route.resource !== undefined && { resource: route.resource }),
    access: route.access ?? [],
    rateLimits: route.rateLimits ?? [],
    ...(route.bodyLimit !== undefined && { bodyLimit: route.bodyLimit }),
    requireCsrfHeader: route.requireCsrfHeader === true,
    upstreams: route.upstreams.map(({ href }) => href),
    ...(route.sockets && { sockets: route.sockets.map(unixSocketText) }),
  }
}
