import type { Frontend } from '../frontend/frontend.js'
import type { Page } from '../page/page.js'
import type { RouteOptions } from '../route-options.js'
import type { RequestTarget } from './request-target.js'
import type { MatchRoute, RouteMatch } from './route.js'

/** Where a request goes once its frontend is known. */
export type Destination<Matched extends RouteOptions> =
  /** Below `P`: the gateway's own. */
  | { readonly kind: 'endpoint' }
  | { readonly kind: 'route'; readonly match: RouteMatch<Matched> }
  /** What neither covers belongs to the page. Without a match it is served from files. */
  | { readonly kind: 'page'; readonly match: RouteMatch<Matched> | undefined }

/** The gateway's own endpoints first, so that no route can stand in front of them; then the longest route. */
export function destinationOf<Matched extends RouteOptions>(
  {
    base,
    matchRoute,
    page,
  }: Pick<Frontend, 'base'> & { readonly matchRoute: MatchRoute<Matched>; readonly page: Page<Matched> },
  target: RequestTarget,
): Destination<Matched> {
  if (target.path === base || target.path.startsWith(`${base}/`)) return { kind: 'endpoint' }
  const match = matchRoute(target)
  return match === undefined ? { kind: 'page', match: page.match(target) } : { kind: 'route', match }
}
