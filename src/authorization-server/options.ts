import type { Jwk, VerificationKey } from '../jose/jwk.js'
import type { Seal } from '../store/seal.js'
import type { Store } from '../store/store.js'
import type { ClientPermissions } from './client/permissions.js'
import type { Pages } from './pages/pages.js'
import type { SigningKeySource } from './tokens/key-source.js'

/** What an authorization server is made of. Times are seconds. */
export interface AuthorizationServerOptions {
  /** The issuer identifier: `https`, or `http` on loopback; no query, no fragment. Every endpoint is below it. */
  readonly issuer: URL
  /** Shared by all replicas. */
  readonly store: Store
  /** The same on all replicas. */
  readonly seal: Seal
  readonly clients: readonly ClientOptions[]
  /** Users known by configuration. */
  readonly users?: readonly UserOptions[]
  /** Asks a real directory. Called for every user who is not in `users`, at most as often as the sign-in limit allows. */
  readonly verifyUser?: VerifyUser
  /** Whether a subject still exists, and its claims now. Absent: what sign-in said stays true for the grant's life. */
  readonly findUser?: FindUser
  readonly signingKeys?: SigningKeyOptions
  readonly lifetimes?: Lifetimes
  /** `aud` of access tokens for which neither a scope nor a `resource` says so. Default: the issuer. */
  readonly audience?: string
  /** What scopes are called on the consent page, and which APIs they are for. The standard ones have names already. */
  readonly scopes?: readonly ScopeOptions[]
  /** Whether proofs must carry a nonce of ours (RFC 9449 §8). Default: `required`. */
  readonly dpopNonces?: 'required' | 'off'
  /** Failures only are counted. */
  readonly signInLimits?: SignInLimits
  /** CIDR ranges of our own proxies, for the address that sign-in limits count. Default: none. */
  readonly trustedProxies?: readonly string[]
  readonly branding?: Branding
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** A confidential client that authenticates by `private_key_jwt`; there is no other kind. */
export interface ClientOptions {
  readonly clientId: string
  readonly displayName?: string
  /** Public keys of its assertions. Several: for rotation with an overlap. */
  readonly keys: readonly VerificationKey[]
  /** Compared exactly. */
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris?: readonly string[]
  /** OpenID Connect Back-Channel Logout 1.0 §2.2. */
  readonly backchannelLogoutUri?: string
  readonly permissions: ClientPermissions
  /** Default: ES256. */
  readonly idTokenAlgorithm?: ServerAlgorithm
  /** Audiences whose tokens it may introspect, besides its own tokens. Default: its own `clientId`. */
  readonly audiences?: readonly string[]
}

export interface UserOptions {
  readonly username: string
  /** Made by `hashPassword`, or `sallyport keygen --password`. */
  readonly passwordHash: string
  /** OpenID Connect claims. `sub` identifies the user permanently; default: the username. */
  readonly claims?: UserClaims
}

export type UserClaims = Readonly<Record<string, unknown>>

/** Undefined: no such user, or not the password. */
export type VerifyUser = (
  username: string,
  password: string,
  context: SignInContext,
) => Promise<AuthenticatedUser | undefined>

export type FindUser = (subject: string) => Promise<UserClaims | undefined>

export interface SignInContext {
  /** The user's IP address. */
  readonly address: string
  readonly clientId: string
  /** What the client asked for by `acr_values`. */
  readonly acrValues: readonly string[]
}

export interface AuthenticatedUser {
  /** Identifies the user permanently. Never the same as a client's identifier. */
  readonly subject: string
  readonly claims: UserClaims
  /** RFC 8176. Default: `["pwd"]`. */
  readonly amr?: readonly string[]
  readonly acr?: string
}

/** Algorithms that this server signs with. */
export type ServerAlgorithm = 'ES256' | 'PS256' | 'Ed25519'

export interface SigningKeyOptions {
  /** Where keys are kept, sealed. Default: the store. */
  readonly source?: SigningKeySource
  /** Access tokens are signed with the first one. Default: ES256 and PS256. */
  readonly algorithms?: readonly ServerAlgorithm[]
  /** Seconds a key signs. Default: 7,776,000 (90 days). */
  readonly lifetime?: number
  /** Seconds a key is published before it signs: longer than any verifier caches the key set. Default: 86,400. */
  readonly publishBefore?: number
  /** Seconds between two looks at the source, for what another replica did. Default: 60. */
  readonly refreshInterval?: number
}

export interface Lifetimes {
  /** At most 60 (FAPI 2.0 §5.3.2.1-11). Default: 60. */
  readonly code?: number
  /** Until a pushed request must have been opened in a browser; less than 600 (FAPI 2.0 §5.3.2.2-12). Default: 60. */
  readonly requestUri?: number
  /** For the user to sign in and decide, once the request is open. Default: 900. */
  readonly interaction?: number
  /** Default: 600. */
  readonly accessToken?: number
  /** Default: 600. */
  readonly idToken?: number
  /** From the use of the code on; not rotated, not extended. Default: 1,209,600 (14 days). */
  readonly refreshToken?: number
  /** Single sign-on. Default: 28,800 (8 hours). */
  readonly session?: number
  /** How long a user's consent to a client is remembered. Default: 7,776,000 (90 days). */
  readonly consent?: number
}

export interface ScopeOptions {
  readonly name: string
  /** Default: what the standard ones are called, otherwise the name. */
  readonly displayName?: string
  /**
   * The APIs it is for: `aud` of the tokens it is granted in. An absolute URI may also be named as `resource` (RFC 8707)
   * together with the scope. Default: none.
   */
  readonly resources?: readonly string[]
}

export interface SignInLimits {
  /** Failures of one user from one address within the window. Default: 5. */
  readonly perUserAndAddress?: number
  /** Failures of one user from all addresses within the window. Default: 50. */
  readonly perUser?: number
  /** Failures of all users from one address within the window. Default: 100. */
  readonly perAddress?: number
  /** Seconds. Default: 900. */
  readonly window?: number
}

export interface Branding {
  /** Above every page. Default: `Sallyport`. */
  readonly name?: string
  /** CSS after ours: `:root{--sp-accent:#7a1fa2}`. */
  readonly theme?: string
  /** Replaces pages one by one. */
  readonly pages?: Partial<Pages>
}

export type { Jwk, SigningKeySource }
