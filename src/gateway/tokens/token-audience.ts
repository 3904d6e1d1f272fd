import type { FrontendOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions } from '../route-options.js'

/** What an access token is for: a resource (RFC 8707), scopes, both, or what the login was for. */
export interface TokenAudience {
  readonly resource?: string
  readonly scopes: readonly string[]
}

/** An audience, and the name of its token among those of a session. `''` is the token of the login itself. */
export interface KeyedAudience extends TokenAudience {
  readonly tokenKey: string
}

/** What the login was for. */
export const loginAudience: KeyedAudience = { tokenKey: '', scopes: [] }

/**
 * What the user is asked to agree to: enough for every route. Resources are named only where all of the user's routes
 * have one: the others live on the audience that the server gives by itself.
 */
export function grantOf({ scopes, routes }: Pick<FrontendOptions, 'scopes' | 'routes'>): {
  readonly scope: string
  readonly resources: ReadonlySet<string>
} {
  const ofUser = routes.filter(({ tokenType }) => tokenType === 'User' || tokenType === 'UserOrNone')
  const resources = ofUser.flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
  return {
    scope: [...new Set([...scopes, ...ofUser.flatMap((route) => route.scopes)])].join(' '),
    resources: new Set(resources.length === ofUser.length ? resources : []),
  }
}

/** Equal for routes that one token serves. The user's token of the login is that of the only resource it named. */
export function tokenKeysOf(
  frontend: Pick<FrontendOptions, 'scopes' | 'routes'>,
): (route: Pick<RouteOptions, 'tokenType' | 'resource' | 'scopes'>) => string {
  const { resources } = grantOf(frontend)
  return ({ tokenType, resource = '', scopes }) => {
    const isOfLogin = tokenType !== 'Client' && resources.size === 1 && scopes.length === 0 && resources.has(resource)
    const saysNothing = resource === '' && scopes.length === 0
    return isOfLogin || saysNothing ? '' : JSON.stringify([resource, ...[...scopes].sort()])
  }
}

export function refusedToken(cause?: unknown): Refusal {
  return new Refusal('bff.token.refused', 'the authorization server gave no token for this route', { cause })
}
