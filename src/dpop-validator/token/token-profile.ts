import { fapiAlgorithms, type JwsAlgorithm, jwsAlgorithms } from '../../jose/algorithm.js'

/** How the access tokens of one kind of authorization server look. Where several claims are named the first one counts. */
export interface TokenProfile {
  /** Algorithms of access tokens. */
  readonly algorithms: readonly JwsAlgorithm[]
  /**
   * What a token without `typ: at+jwt` has to hold, one claim of each list, and no ID token of this server does. None: there
   * are no such tokens.
   */
  readonly marks: readonly (readonly string[])[] | undefined
  /** Besides `iss`, `exp` and the audience, which every token needs. */
  readonly requiredClaims: readonly string[]
  readonly clientId: readonly string[]
  /** Where the scopes are, each a text with spaces between them, or a list. */
  readonly scope: readonly string[]
  /** What a token without `aud` is made for instead. */
  readonly audience?: string
}

const rfc9068 = {
  algorithms: fapiAlgorithms,
  marks: undefined,
  requiredClaims: ['sub', 'client_id', 'iat', 'jti'],
  clientId: ['client_id'],
  scope: ['scope'],
} satisfies TokenProfile

const anyAlgorithm = { ...rfc9068, algorithms: jwsAlgorithms }

/** Made after what the servers' documentation shows. All of them take the tokens of RFC 9068 as well. */
export const tokenProfiles = {
  fapi2: rfc9068,
  rfc9449: {
    ...anyAlgorithm,
    marks: [['scope', 'scp', 'client_id', 'cid', 'appid', 'permissions']],
    requiredClaims: [],
    clientId: ['client_id', 'cid', 'appid', 'azp'],
    scope: ['scope', 'scp'],
  },
  // It says in the payload what the token is: `Bearer` or `DPoP`; `ID`, `Refresh`, `Offline`, `Logout` are others.
  keycloak: { ...anyAlgorithm, marks: [['typ']], requiredClaims: ['iat', 'jti'], clientId: ['client_id', 'azp'] },
  auth0: {
    ...anyAlgorithm,
    marks: [['scope', 'permissions', 'gty']],
    requiredClaims: ['sub', 'iat'],
    clientId: ['client_id', 'azp'],
  },
  // App roles are in its ID tokens too; the client and how it authenticated are not.
  entra: {
    ...anyAlgorithm,
    marks: [
      ['azp', 'appid'],
      ['scp', 'roles', 'azpacr', 'appidacr'],
    ],
    requiredClaims: ['sub', 'iat'],
    clientId: ['azp', 'appid'],
    scope: ['scp', 'roles'],
  },
  okta: {
    ...anyAlgorithm,
    marks: [['cid'], ['scp']],
    requiredClaims: ['sub', 'iat', 'jti'],
    clientId: ['cid'],
    scope: ['scp'],
  },
  // Its access tokens are for a user pool's client and not for an API; an `aud` is there only when one was asked for.
  cognito: { ...anyAlgorithm, marks: [['token_use'], ['client_id']], audience: 'client_id' },
  curity: {
    ...anyAlgorithm,
    marks: [['purpose', 'scope']],
    requiredClaims: ['sub', 'iat', 'jti'],
    clientId: ['client_id', 'azp'],
  },
  // The client is in `aud`, unless the application customizes its tokens.
  spring: {
    ...anyAlgorithm,
    marks: [['scope', 'client_id']],
    requiredClaims: ['sub', 'iat'],
    clientId: ['client_id', 'azp'],
  },
} as const satisfies Readonly<Record<string, TokenProfile>>

export type ProfileName = keyof typeof tokenProfiles

/** The elements of a scope, which are compared whole: `read` is not in `read:all`. */
export function elementsOf(scope: unknown): readonly string[] {
  if (typeof scope === 'string') return scope.split(' ').filter((element) => element !== '')
  return Array.isArray(scope) ? scope.filter((element) => typeof element === 'string') : []
}
