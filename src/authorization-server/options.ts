import type { Jwk, VerificationKey } from '../jose/jwk.js'
import type { Seal } from '../store/seal.js'
import type { Store } from '../store/store.js'
import type { CertificateAuthentication, MutualTlsOptions } from './client/certificate-options.js'
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
  /** Who may ask for tokens. */
  readonly clients: readonly ClientOptions[]
  /** Users known by configuration. */
  readonly users?: readonly UserOptions[]
  /** Asks a real directory. Called for every user who is not in `users`, at most as often as the sign-in limit allows. */
  readonly verifyUser?: VerifyUser
  /** Whether a subject still exists, and its claims now. Absent: what sign-in said stays true for the grant's life. */
  readonly findUser?: FindUser
  /** Algorithms of what this server signs, and how its keys rotate. */
  readonly signingKeys?: SigningKeyOptions
  /** How long codes, tokens, sessions and consents live. */
  readonly lifetimes?: Lifetimes
  /** `aud` of access tokens for which neither a scope nor a `resource` says so. Default: the issuer. */
  readonly audience?: string
  /** What scopes are called on the consent page, and which APIs they are for. The standard ones have names already. */
  readonly scopes?: readonly ScopeOptions[]
  /** What users can allow in more words than a scope has (RFC 9396). Default: nothing. */
  readonly authorizationDetailTypes?: readonly AuthorizationDetailTypeOptions[]
  /** Whether proofs must carry a nonce of ours (RFC 9449 §8). Default: `required`. */
  readonly dpopNonces?: 'required' | 'off'
  /** Whether every client has to push its requests as signed request objects (RFC 9101). Default: false, each may. */
  readonly requireSignedRequests?: boolean
  /** Whether every client has to ask for signed authorization responses (JARM, `response_mode=jwt`). Default: false, each may. */
  readonly requireSignedResponses?: boolean
  /** How certificates of clients get here (RFC 8705). Default: they do not, and no client can use one. */
  readonly mutualTls?: MutualTlsOptions
  /** Failures only are counted. */
  readonly signInLimits?: SignInLimits
  /** CIDR ranges of our own proxies, for the address that sign-in limits count. Default: none. */
  readonly trustedProxies?: readonly string[]
  /** What its pages look like. */
  readonly branding?: Branding
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** A confidential client, that authenticates by `private_key_jwt` or by a certificate; there is no other kind. */
export interface ClientOptions {
  /** Never the same as a user's `sub`. */
  readonly clientId: string
  /** What the consent page calls it. Default: the `clientId`. */
  readonly displayName?: string
  /** Public keys of its assertions and request objects. Several: for rotation with an overlap. */
  readonly keys: readonly VerificationKey[]
  /** By a certificate, in place of an assertion. Default: by an assertion (`private_key_jwt`). */
  readonly certificateAuthentication?: CertificateAuthentication
  /** Whether its tokens are bound to its certificate (RFC 8705 §3). Absent: to a DPoP key. */
  readonly certificateBoundAccessTokens?: boolean
  /** Compared exactly. */
  readonly redirectUris: readonly string[]
  /** Compared exactly (OpenID Connect RP-Initiated Logout 1.0 §3). Default: none. */
  readonly postLogoutRedirectUris?: readonly string[]
  /** Where it is told of the end of a session (OpenID Connect Back-Channel Logout 1.0 §2.2). Default: nowhere. */
  readonly backchannelLogoutUri?: string
  /** What the sign-out page has a frame of (OpenID Connect Front-Channel Logout 1.0 §2). Default: nothing. */
  readonly frontchannelLogoutUri?: string
  /** Endpoints, grants, scopes and resources that it may use: `parsePermissions(…).permissions`. */
  readonly permissions: ClientPermissions
  /** Types of `authorization_details` that it may ask for. Default: none. */
  readonly authorizationDetailTypes?: readonly string[]
  /** Whether its requests have to be signed request objects (RFC 9101). Default: as `requireSignedRequests` of the server. */
  readonly requireSignedRequests?: boolean
  /** Whether its authorization responses have to be signed (JARM). Default: as `requireSignedResponses` of the server. */
  readonly requireSignedResponses?: boolean
  /** What its ID tokens, logout tokens, signed responses and introspections are signed with. Default: ES256. */
  readonly idTokenAlgorithm?: ServerAlgorithm
  /** Audiences whose tokens it may introspect, besides its own tokens. Default: its own `clientId`. */
  readonly audiences?: readonly string[]
}

/** A user whom the configuration knows. */
export interface UserOptions {
  /** What the user types to sign in. */
  readonly username: string
  /** Made by `hashPassword`, or `sallyport keygen --password`. */
  readonly passwordHash: string
  /** OpenID Connect claims. `sub` identifies the user permanently; default: the username. */
  readonly claims?: UserClaims
}

/** OpenID Connect Core 1.0 §5.1. Which of them a client gets follows from its scopes. */
export type UserClaims = Readonly<Record<string, unknown>>

/** Asks a directory for a user. Undefined: no such user, or not the password. What it throws does not count as a failure of the user's. */
export type VerifyUser = (
  username: string,
  password: string,
  context: SignInContext,
) => Promise<AuthenticatedUser | undefined>

/** A user's claims as they are now. Undefined: there is no such user any more, and the grant ends. */
export type FindUser = (subject: string) => Promise<UserClaims | undefined>

/** Who wants to sign in, and for what. */
export interface SignInContext {
  /** The user's IP address. */
  readonly address: string
  /** Of the login, for a log of your own. */
  readonly requestId: string
  /** The client that the user signs in for. */
  readonly clientId: string
  /** What the client asked for by `acr_values`. */
  readonly acrValues: readonly string[]
}

/** A user who has proved to be one. */
export interface AuthenticatedUser {
  /** Identifies the user permanently. Never the same as a client's identifier. */
  readonly subject: string
  /** Without `sub`: that is `subject`. */
  readonly claims: UserClaims
  /** How the user was authenticated, in the names of RFC 8176. Default: `["pwd"]`. */
  readonly amr?: readonly string[]
  /** The authentication context class that was reached. Default: none is said. */
  readonly acr?: string
}

/** Algorithms that this server signs with. */
export type ServerAlgorithm = 'ES256' | 'PS256' | 'Ed25519'

/** Keys are made, published, used and retired by the server itself. */
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

/** All in seconds. */
export interface Lifetimes {
  /** At most 60 (FAPI 2.0 §5.3.2.1-11). Default: 60. */
  readonly code?: number
  /** Until a pushed request must have been opened in a browser; less than 600 (FAPI 2.0 §5.3.2.2-12). Default: 60. */
  readonly requestUri?: number
  /** For the user to sign in and decide, once the request is open. Default: 900. */
  readonly interaction?: number
  /** Of an access token. Default: 600. */
  readonly accessToken?: number
  /** Of an ID token. Default: 600. */
  readonly idToken?: number
  /** From the use of the code on; not rotated, not extended. Default: 1,209,600 (14 days). */
  readonly refreshToken?: number
  /** Single sign-on. Default: 28,800 (8 hours). */
  readonly session?: number
  /** How long a user's consent to a client is remembered. Default: 7,776,000 (90 days). */
  readonly consent?: number
}

/** A scope besides those of OpenID Connect, or another name for one of those. */
export interface ScopeOptions {
  /** As clients ask for it (RFC 6749 §3.3). */
  readonly name: string
  /** What the consent page calls it. Default: what the standard ones are called, otherwise the name. */
  readonly displayName?: string
  /**
   * The APIs it is for: `aud` of the tokens it is granted in. An absolute URI may also be named as `resource` (RFC 8707)
   * together with the scope. Default: none.
   */
  readonly resources?: readonly string[]
}

/** A kind of element of `authorization_details` (RFC 9396 §2). */
export interface AuthorizationDetailTypeOptions {
  /** `type` of such an element. */
  readonly type: string
  /** JSON Schema (2020-12) of the whole element. With `additionalProperties: false` it holds nothing that the schema does not name. */
  readonly schema: Readonly<Record<string, unknown>>
  /**
   * What the consent page says of an element: `Pay {amount.value} {amount.currency} to {creditor}`, where a name in braces
   * is a member. Asked anew each time. Default: the element itself, as JSON.
   */
  readonly consent?: string
}

/** One element of `authorization_details`. */
export type AuthorizationDetail = Readonly<Record<string, unknown>> & {
  /** What kind it is. */
  readonly type: string
}

/** Failed sign-ins, counted in the store by all processes together. Beyond them a user has to wait. */
export interface SignInLimits {
  /** Failures of one user from one address within the window. Default: 5. */
  readonly perUserAndAddress?: number
  /** Failures of one user from all addresses within the window. Default: 50. */
  readonly perUser?: number
  /** Failures of all users from one address within the window. Default: 100. */
  readonly perAddress?: number
  /** Seconds in which failures are counted. Default: 900. */
  readonly window?: number
}

/** What the pages look like. */
export interface Branding {
  /** Above every page. Default: `Sallyport`. */
  readonly name?: string
  /** CSS after ours: `:root{--sp-accent:#7a1fa2}`. */
  readonly theme?: string
  /** Replaces pages one by one. */
  readonly pages?: Partial<Pages>
}

export type { Jwk, SigningKeySource }
