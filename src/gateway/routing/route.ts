import type { Access } from '../access/access.js'
import type { Timeouts } from '../forwarding/timeouts.js'
import type { UpstreamPool } from '../forwarding/upstream.js'
import type { AssertIdentity } from '../identity/identity-assertion.js'
import type { LimitRate } from '../limits/rate-limits.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions } from '../route-options.js'
import type { RouteStepUp } from '../step-up/route-step-up.js'
import type { RouteAudiences } from '../tokens/token-audience.js'
import { lenientReading } from './lenient-reading.js'
import type { RequestTarget } from './request-target.js'

/** A route that is ready for calls. */
export interface Route extends RouteOptions {
  readonly timeouts: Timeouts
  readonly pool: UpstreamPool
  /** What the access tokens of its calls are for. */
  readonly audiences: RouteAudiences
  /** Undefined where nothing is limited. */
  readonly limitRate: LimitRate | undefined
  /** Which users may in; undefined: all. */
  readonly mayIn: Access | undefined
  /** Whether its calls need a session, use one that is there, or look at none. */
  readonly session: 'required' | 'optional' | 'none'
  /** Says who the user is in place of an access token. Undefined: a token goes along. */
  readonly assertIdentity: AssertIdentity | undefined
  /** What it asks of its users' sign-in; undefined: nothing. */
  readonly stepUp: RouteStepUp | undefined
}

/** A request's route, and what of its path goes upstream. */
export interface RouteMatch<Matched extends RouteOptions = RouteOptions> {
  readonly route: Matched
  /** Path and query below the upstream's base path. Begins with one `/`, or is a query or nothing at all. */
  readonly upstreamTarget: string
  /** What was taken off the front: `X-Forwarded-Prefix`. `''` when nothing was. */
  readonly removedPrefix: string
}

/** Undefined when the path belongs to no route: then it is the frontend's own. */
export type MatchRoute<Matched extends RouteOptions = RouteOptions> = (
  target: RequestTarget,
) => RouteMatch<Matched> | undefined

/**
 * The routes of one frontend, longest path first. Paths are below the frontend's prefix, which never goes upstream.
 * The matcher throws Refusal `bff.request.ambiguous_target` for a path that a lenient upstream could take for another
 * route's: `/api%2Fadmin`, `/api//admin`, `/api/Admin` or `/api/admin%20` where `/api/admin` has its own rules.
 */
export function createRouteMatcher<Matched extends RouteOptions>(
  pathPrefix: string,
  routes: readonly Matched[],
): MatchRoute<Matched> {
  const table = routes
    .map((route) => {
      const path = route.path.replace(/\/+$/, '')
      return { route, path, lenient: lenientReading(path) }
    })
    .sort((left, right) => right.path.length - left.path.length)

  const lenientPrefix = lenientReading(pathPrefix)

  return ({ path, reading, query }) => {
    if (!covers(pathPrefix, path)) return undefined
    const below = path.slice(pathPrefix.length)
    const found = table.find((entry) => covers(entry.path, below))
    if (found === undefined) return undefined
    if (reading !== path) {
      const belowReading = reading.slice(lenientPrefix.length)
      if (table.find((entry) => covers(entry.lenient, belowReading)) !== found)
        refuse('the path can be read as another route')
    }
    const { route } = found
    const rest = route.stripPath ? below.slice(found.path.length) : below
    if (rest.startsWith('//')) refuse('the path begins with two slashes once the prefix is taken off')
    return {
      route,
      upstreamTarget: rest + query,
      removedPrefix: route.stripPath ? pathPrefix + found.path : pathPrefix,
    }
  }
}

/** @throws Refusal `bff.route.method_denied` */
export function assertMethodAllowed({ methods }: RouteOptions, method: string): void {
  // TRACE would show the browser the credentials that we add (RFC 9110 §9.3.8).
  if (method === 'TRACE' || method === 'TRACK' || method === 'CONNECT')
    throw new Refusal('bff.route.method_denied', 'no route takes this method')
  if (methods.length > 0 && !methods.includes(method))
    throw new Refusal('bff.route.method_denied', `this route takes ${methods.join(', ')}`)
}

function covers(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

function refuse(detail: string): never {
  throw new Refusal('bff.request.ambiguous_target', detail)
}
