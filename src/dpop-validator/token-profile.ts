import { fapiAlgorithms, type JwsAlgorithm, jwsAlgorithms } from '../dpop/jws-algorithm.js'

export type ProfileName = 'fapi2' | 'rfc9449' | 'keycloak' | 'auth0' | 'entra'

type Claims = Readonly<Record<string, unknown>>

/** What differs from one kind of authorization server to the next. */
export interface TokenProfile {
  /** Algorithms of access tokens. */
  readonly algorithms: readonly JwsAlgorithm[]
  /** Whether this is an access token at all, and not an ID token of the same issuer (RFC 8725 §3.11). */
  readonly isAccessToken: (header: Claims, claims: Claims) => boolean
  /** Besides `iss`, `aud` and `exp`, which every token needs. */
  readonly requiredClaims: readonly string[]
  readonly clientId: (claims: Claims) => unknown
  /** Where the scopes are: a text with spaces between them, or a list. */
  readonly scope: (claims: Claims) => unknown
}

const typeOf = ({ typ }: Claims): string => (typeof typ === 'string' ? typ.toLowerCase() : '')
const isAtJwt = (header: Claims): boolean => ['at+jwt', 'application/at+jwt'].includes(typeOf(header))
const isAnyJwt = (header: Claims): boolean => isAtJwt(header) || ['jwt', ''].includes(typeOf(header))
/** What only an ID token has (OpenID Connect Core §2). */
const looksLikeIdToken = (claims: Claims): boolean => 'nonce' in claims || 'at_hash' in claims || 'c_hash' in claims

const rfc9068: TokenProfile = {
  algorithms: fapiAlgorithms,
  isAccessToken: isAtJwt,
  requiredClaims: ['sub', 'client_id', 'iat', 'jti'],
  clientId: ({ client_id }) => client_id,
  scope: ({ scope }) => scope,
}

export const tokenProfiles: Readonly<Record<ProfileName, TokenProfile>> = {
  fapi2: rfc9068,
  rfc9449: {
    ...rfc9068,
    algorithms: jwsAlgorithms,
    isAccessToken: (header, claims) => isAtJwt(header) || (typeOf(header) === 'jwt' && !looksLikeIdToken(claims)),
    requiredClaims: [],
  },
  // Keycloak says in the payload what the token is: `Bearer` or `DPoP`; `ID`, `Refresh`, `Logout` are others.
  keycloak: {
    ...rfc9068,
    algorithms: jwsAlgorithms,
    isAccessToken: (header, { typ }) => isAtJwt(header) || (isAnyJwt(header) && (typ === 'Bearer' || typ === 'DPoP')),
    requiredClaims: ['iat', 'jti'],
    clientId: ({ client_id, azp }) => client_id ?? azp,
  },
  auth0: {
    ...rfc9068,
    algorithms: jwsAlgorithms,
    isAccessToken: (header, claims) => isAtJwt(header) || (isAnyJwt(header) && !looksLikeIdToken(claims)),
    requiredClaims: ['sub', 'iat'],
    clientId: ({ client_id, azp }) => client_id ?? azp,
  },
  // Entra's ID tokens have no `scp`, `roles` or `appid`, and its access tokens at least one of them.
  entra: {
    ...rfc9068,
    algorithms: jwsAlgorithms,
    isAccessToken: (header, claims) =>
      isAtJwt(header) ||
      (isAnyJwt(header) && !looksLikeIdToken(claims) && ['scp', 'roles', 'appid'].some((name) => name in claims)),
    requiredClaims: ['sub', 'iat'],
    clientId: ({ azp, appid }) => azp ?? appid,
    scope: ({ scp, roles }) => [...elementsOf(scp), ...elementsOf(roles)],
  },
}

/** The elements of a scope, which are compared whole: `read` is not in `read:all`. */
export function elementsOf(scope: unknown): readonly string[] {
  if (typeof scope === 'string') return scope.split(' ').filter((element) => element !== '')
  return Array.isArray(scope) ? scope.filter((element) => typeof element === 'string') : []
}
