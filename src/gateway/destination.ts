import type { Frontend } from './frontend.js'
import type { RequestTarget } from './request-target.js'
import type { MatchRoute, RouteMatch } from './route.js'

/** Where a request goes once its frontend is known. */
export type Destination =
  /** Below `P`: the gateway's own. */
  | { readonly kind: 'endpoint' }
  | { readonly kind: 'route'; readonly match: RouteMatch }
  /** What neither covers belongs to the page. */
  | { readonly kind: 'page' }

/** The gateway's own endpoints first, so that no route can stand in front of them; then the longest route. */
export function destinationOf(
  { base, matchRoute }: Pick<Frontend, 'base'> & { readonly matchRoute: MatchRoute },
  target: RequestTarget,
): Destination {
  if (target.path === base || target.path.startsWith(`${base}/`)) return { kind: 'endpoint' }
  const match = matchRoute(target)
  return match === undefined ? { kind: 'page' } : { kind: 'route', match }
}
