import type { FrontendOptions } from '../options.js'
import type { AccessRule, RouteOptions } from '../route-options.js'
import { mayBeOfClient } from '../tokens/token-audience.js'
import { type Access, createAccess } from './access.js'

/** Which users a route lets in, and whether its calls need a session, use one that is there, or look at none. */
export interface RouteAccess {
  readonly mayIn: Access | undefined
  readonly session: 'required' | 'optional' | 'none'
}

/** All rules that a call of a route has to satisfy. `None` looks at no user. */
export function rulesOf(
  { access: ofFrontend = [] }: Pick<FrontendOptions, 'access'>,
  { access: own = [], tokenType }: Pick<RouteOptions, 'access' | 'tokenType'>,
): readonly AccessRule[] {
  return tokenType === 'None' ? [] : [...ofFrontend, ...own]
}

/** The gateway's own token is not for those whom rules keep out, so that its routes need a session where there are rules. */
export function routeAccess(
  route: Pick<RouteOptions, 'access' | 'tokenType'>,
  frontend: Pick<FrontendOptions, 'access'> = {},
  now?: () => number,
): RouteAccess {
  const { tokenType } = route
  const mayIn = createAccess(rulesOf(frontend, route), now)
  if (tokenType === 'None' || (tokenType === 'Client' && mayIn === undefined)) return { mayIn, session: 'none' }
  const needsUser = tokenType === 'User' || (mayIn !== undefined && mayBeOfClient(tokenType))
  return { mayIn, session: needsUser ? 'required' : 'optional' }
}

/** A page that is open like a folder, but that a session that is there has to be one that may in; or one behind the login. */
export function pageAccess(
  mayIn: Access | undefined,
  { requireLogin }: Pick<FrontendOptions, 'requireLogin'>,
): RouteAccess {
  return { mayIn, session: requireLogin === 'Page' ? 'required' : mayIn === undefined ? 'none' : 'optional' }
}
