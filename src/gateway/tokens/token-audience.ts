import type { FrontendOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions, TokenExchangeOptions, TokenType } from '../route-options.js'

/** What an access token is for: a resource (RFC 8707), scopes, both, or what the login was for. */
export interface TokenAudience {
  readonly resource?: string
  readonly scopes: readonly string[]
  /** `authorization_details`, as JSON. Absent: all that was granted. */
  readonly details?: string
}

/** An audience, and the name of its token among those of a session. `''` is the token of the login itself. */
export interface KeyedAudience extends TokenAudience {
  readonly tokenKey: string
  /** These scopes are not written for the route: what the server did not grant of them is not asked for. */
  readonly implied?: true
  /** What the login was for, but for its `details`. */
  readonly ofLogin?: true
  /** The token is got in exchange for that of the login. */
  readonly exchange?: TokenExchangeOptions
}

/** What the tokens of a route are for: a user's, and the gateway's own. */
export interface RouteAudiences {
  readonly ofUser: KeyedAudience
  readonly ofClient: KeyedAudience
}

/** Whether a route looks at the session: what it forwards may carry the user's token. */
export function mayBeOfUser(tokenType: TokenType): boolean {
  return tokenType === 'User' || tokenType === 'UserOrNone' || tokenType === 'UserOrClient'
}

/** Whether what a route forwards may carry the gateway's own token. */
export function mayBeOfClient(tokenType: TokenType): boolean {
  return tokenType === 'Client' || tokenType === 'UserOrClient'
}

/** What the login was for. */
export const loginAudience: KeyedAudience = { tokenKey: '', scopes: [] }

/** Whether the authorization server's own endpoint takes the token: it is for no API in particular, with all scopes of the frontend. */
export function isForServer({ resource, tokenKey, implied, ofLogin }: KeyedAudience): boolean {
  return tokenKey === loginAudience.tokenKey || ofLogin === true || (resource === undefined && implied === true)
}

/**
 * What the user is asked to agree to: enough for every route. Resources are named only where all of the user's routes
 * have one: the others live on the audience that the server gives by itself. What is exchanged is no part of it.
 */
export function grantOf({ scopes, routes }: Pick<FrontendOptions, 'scopes' | 'routes'>): {
  readonly scope: string
  readonly resources: ReadonlySet<string>
} {
  const ofUser = routes.filter(({ tokenType, tokenExchange }) => mayBeOfUser(tokenType) && tokenExchange === undefined)
  const resources = ofUser.flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
  return {
    scope: [...new Set([...scopes, ...ofUser.flatMap((route) => route.scopes)])].join(' '),
    resources: new Set(resources.length === ofUser.length ? resources : []),
  }
}

/**
 * What each route's tokens are asked for. A route without scopes gets the frontend's own, without what others need: the
 * token of the login serves it only where the login asked for no more than that. Equal keys are tokens that serve both.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-6 RFC 6749 §6}: a refresh may ask for less than was granted
 */
export function audiencesOf(
  frontend: Pick<FrontendOptions, 'scopes' | 'routes' | 'authorizationDetails'>,
): (route: Pick<RouteOptions, 'resource' | 'scopes' | 'tokenExchange' | 'authorizationDetails'>) => RouteAudiences {
  const byScopes = audiencesByScopes(frontend)
  const { authorizationDetails: own = [], routes } = frontend
  if (routes.every(({ authorizationDetails }) => authorizationDetails === undefined)) return byScopes
  return (route) => {
    const { ofUser, ofClient } = byScopes(route)
    const details = JSON.stringify(route.authorizationDetails ?? own)
    const ofLogin = ofUser.tokenKey === loginAudience.tokenKey && { ofLogin: true as const }
    return { ofUser: { ...ofUser, ...ofLogin, details, tokenKey: `${ofUser.tokenKey} for ${details}` }, ofClient }
  }
}

function audiencesByScopes(
  frontend: Pick<FrontendOptions, 'scopes' | 'routes'>,
): (route: Pick<RouteOptions, 'resource' | 'scopes' | 'tokenExchange'>) => RouteAudiences {
  const { scope, resources } = grantOf(frontend)
  const own = new Set(frontend.scopes)
  const loginIsForAll = scope.split(' ').every((name) => name === '' || own.has(name))

  return ({ resource, scopes, tokenExchange: exchange }) => {
    const named = resource === undefined ? {} : { resource }
    const ofClient = { ...named, scopes, tokenKey: keyOf(resource, scopes) }
    if (exchange !== undefined) {
      const tokenKey = `exchanged ${JSON.stringify([exchange.audience ?? '', resource ?? '', ...[...scopes].sort()])}`
      return { ofUser: { ...named, scopes, tokenKey, exchange }, ofClient }
    }
    if (scopes.length > 0) return { ofUser: ofClient, ofClient }
    const isOfLogin = resource === undefined || (resources.size === 1 && resources.has(resource))
    if (!loginIsForAll)
      return {
        ofUser: { ...named, scopes: frontend.scopes, tokenKey: keyOf(resource, frontend.scopes), implied: true },
        ofClient,
      }
    return { ofUser: { ...named, scopes, tokenKey: isOfLogin ? '' : keyOf(resource, scopes) }, ofClient }
  }
}

/** The scopes that a route's token has in the end. Empty: what the server gives by itself, or no token. */
export function scopesOfToken(
  { scopes }: Pick<FrontendOptions, 'scopes'>,
  { tokenType, identityAssertion }: Pick<RouteOptions, 'tokenType' | 'identityAssertion'>,
  { ofUser, ofClient }: RouteAudiences,
): readonly string[] {
  if (tokenType === 'None' || identityAssertion !== undefined) return []
  if (!mayBeOfUser(tokenType)) return ofClient.scopes
  if (ofUser.exchange !== undefined) return ofUser.scopes
  return ofUser.scopes.length === 0 ? scopes : ofUser.scopes
}

function keyOf(resource = '', scopes: readonly string[]): string {
  return resource === '' && scopes.length === 0 ? '' : JSON.stringify([resource, ...[...scopes].sort()])
}

/** What is asked of the server in the end. @throws Refusal `bff.token.refused` when nothing of it was granted */
export function grantedPart(audience: KeyedAudience, granted: readonly string[] | undefined): TokenAudience {
  if (audience.implied === undefined || granted === undefined) return audience
  const scopes = audience.scopes.filter((scope) => granted.includes(scope))
  if (scopes.length === 0) throw refusedToken()
  return { ...audience, scopes }
}

export function refusedToken(cause?: unknown): Refusal {
  return new Refusal('bff.token.refused', 'the authorization server gave no token for this route', { cause })
}
