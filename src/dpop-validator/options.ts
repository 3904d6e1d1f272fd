import type { KeyObject } from 'node:crypto'
import type { HttpProxyOptions } from '../http/outgoing-proxy.js'
import type { JwsAlgorithm } from '../jose/algorithm.js'
import type { Jwk } from '../jose/jwk.js'
import type { Store } from '../store/store.js'
import type { ValidatorEvent } from '../telemetry/events.js'
import type { AccessTokenClaims } from './auth.js'
import type { ProofCircumstances } from './proof/nonce-policy.js'
import type { ResourceOptions } from './response/resource-metadata.js'
import type { ProfileName } from './token/token-profile.js'

/** What `createVerifier` takes. Times are in seconds. */
export interface VerifierOptions {
  /** Whose access tokens are accepted: issuer identifiers, exactly as in `iss`, or with settings of their own. */
  readonly issuer: string | IssuerOptions | readonly (string | IssuerOptions)[]
  /** Who this API is, as in `aud`. There is no default: an API must not take tokens that are meant for other APIs. */
  readonly audience: string | readonly string[]
  /**
   * What clients call this API by, up to where the path that this process sees begins; a list where it has several names.
   * There is no default: `Host` and `X-Forwarded-Host` are the sender's to write, and would let a proof that was made for
   * another API pass at this one.
   */
  readonly publicUrl: string | readonly string[]
  /**
   * `dpop`: bound tokens with the DPoP scheme only. `mixed`: unbound ones with Bearer as well. `bearer`: those only.
   * `any-bound`: DPoP, or Bearer with a certificate-bound token (RFC 8705). Default: `dpop`.
   */
  readonly mode?: 'dpop' | 'mixed' | 'bearer' | 'any-bound'
  /** What proofs and tokens look like. Default: `fapi2`. See the page "Protect an API". */
  readonly profile?: ProfileName
  /** What is asked of proofs (RFC 9449 §4.3). */
  readonly proof?: ProofOptions
  /** Nonces (RFC 9449 §9). `true`: always, with a secret of this process alone. Default: false. */
  readonly nonce?: boolean | NonceOptions
  /**
   * Where used proofs are remembered. `memory`: in this process, refused under `node:cluster`, where each worker would
   * accept the same proof once; `memory-per-process` says that this is meant. `cluster`: in the primary process. A store:
   * across processes. Default: `memory`.
   */
  readonly replay?: false | 'memory' | 'memory-per-process' | 'cluster' | Pick<Store, 'addIfAbsent'>
  /** Used proofs remembered in memory at most; beyond it requests are answered 503. Default: 1,000,000. */
  readonly replayCapacity?: number
  /** When the store or the primary cannot tell: `deny` with 503, or rely on this process's memory. Default: `deny`. */
  readonly onReplayStoreError?: 'deny' | 'local'
  /** What is asked of access tokens. */
  readonly token?: TokenOptions
  /** Asked about every token, known or not: has it been revoked? Keep it fast. Throws or rejects: answered 503. */
  readonly isRevoked?: (token: RevocableToken) => boolean | Promise<boolean>
  /** How issuers' keys are fetched and kept. */
  readonly jwks?: JwksOptions
  /** PEM certificates to trust for authorization servers, besides those that Node.js trusts. Default: none. */
  readonly ca?: string
  /** The way to authorization servers where there is no direct one. Default: direct. */
  readonly httpProxy?: HttpProxyOptions
  /** Scopes that every request needs. Default: none. */
  readonly scopes?: readonly string[]
  /** For the protected resource metadata. */
  readonly resource?: ResourceOptions
  /** What refusals say (RFC 9110 §11.6.1). */
  readonly challenge?: ChallengeOptions
  /** `true`: preflight requests pass without a token, and pages may read our answers' header fields. Default: false. */
  readonly cors?: boolean
  /** Where signatures are checked: on this thread (least CPU) or in libuv's pool (least blocking). Default: `sync`. */
  readonly crypto?: 'sync' | 'pool'
  /** Every acceptance and refusal, besides the `sallyport` diagnostics channel. */
  readonly onEvent?: (event: ValidatorEvent) => void
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** One issuer whose access tokens are accepted, with settings of its own. */
export interface IssuerOptions {
  /** Its identifier, exactly as in `iss`. */
  readonly issuer: string
  /** Where its keys are. Default: `jwks_uri` of the issuer's metadata. */
  readonly jwksUri?: string
  /** The keys themselves; nothing is fetched then. */
  readonly jwks?: { readonly keys: readonly object[] }
  /** Algorithms of its access tokens. Default: those of the profile. */
  readonly algs?: readonly JwsAlgorithm[]
  /** Who this API is in its tokens. Default: the verifier's. */
  readonly audience?: string | readonly string[]
  /** What its tokens look like. Default: the verifier's. */
  readonly profile?: ProfileName
  /** PEM certificates to trust for it. Default: the verifier's. */
  readonly ca?: string
  /** For tokens that are no JWTs, or that may be revoked (RFC 7662). */
  readonly introspection?: IntrospectionOptions
}

/** How this API asks the issuer about a token (RFC 7662). */
export interface IntrospectionOptions {
  /** Where to ask. Default: `introspection_endpoint` of the issuer's metadata. */
  readonly endpoint?: string
  /** This API, as a client of the issuer. */
  readonly clientId: string
  /** For `client_secret_basic`. */
  readonly clientSecret?: string
  /** A private JWK, for `private_key_jwt`. */
  readonly signingKey?: Jwk
  /** `opaque`: only what is no JWT. `all`: JWTs too, so that a revoked one is seen within `cache`. Default: `opaque`. */
  readonly tokens?: 'opaque' | 'all'
  /** `trusted`: the server says active only of tokens that are for us, so `aud` may be missing. Default: `required`. */
  readonly audience?: 'required' | 'trusted'
  /** Whether the issuer has to sign its answers (RFC 9701); JSON is refused then. Default: false. */
  readonly signed?: boolean
  /** Seconds an answer is good for, at most 60. Default: 10. */
  readonly cache?: number
}

/** What a revocation list has to go by. */
export interface RevocableToken {
  /** `iss`. */
  readonly issuer: string
  /** `sub`. */
  readonly subject: string | undefined
  /** `client_id`, or what the profile has in its place. */
  readonly clientId: string | undefined
  /** All that the token says. */
  readonly claims: AccessTokenClaims
}

/** Nonces that this API hands out (RFC 9449 §9). They need no store. */
export interface NonceOptions {
  /**
   * 32 bytes or more; of several the first one issues, and all are recognised. Default: one of this process alone, so that
   * a proof with a nonce is good at one process only, and the memory of that process is enough.
   */
  readonly secret?: Buffer | readonly Buffer[]
  /** Seconds per time step; a nonce is good in its own step and the one after. Default: 60. */
  readonly step?: number
  /** Whether a nonce is good for one key only. Default: true. */
  readonly perKey?: boolean
  /** Who has to send one. `suspicious`: after a replay or a clock that is far off, and from then on. Default: `always`. */
  readonly when?: 'always' | 'suspicious' | ((circumstances: ProofCircumstances) => boolean)
}

/** Limits of what is taken as a proof. */
export interface ProofOptions {
  /** Algorithms of proofs. Default: ES256, EdDSA (as `Ed25519` too) and PS256; all asymmetric ones with `rfc9449`. */
  readonly algs?: readonly JwsAlgorithm[]
  /** Seconds a proof is accepted after its `iat`. Default: 60. */
  readonly maxAge?: number
  /** Seconds a proof may be ahead of our clock. FAPI 2.0 §5.3.2.1-13 allows 10 to 60. Default: 10. */
  readonly futureSkew?: number
  /** Characters of a proof at most. Default: 8192. */
  readonly maxLength?: number
  /** Characters of a `jti` at most. Default: 256. */
  readonly maxJti?: number
}

/** Limits of what is taken as an access token. */
export interface TokenOptions {
  /** Seconds our clock and the issuer's may be apart. Default: 5. */
  readonly clockSkew?: number
  /** Characters of an access token at most. Default: 16384. */
  readonly maxLength?: number
  /** Of tokens that have been verified. */
  readonly cache?: TokenCacheOptions
  /** Opens encrypted access tokens: a private key of this API. Default: they are refused. */
  readonly decrypt?: KeyObject | Jwk
}

/** Verified tokens that are kept, so that each is verified once. */
export interface TokenCacheOptions {
  /** How many. Default: 10,000. */
  readonly max?: number
  /** Seconds for which one is kept at most. Default: 60. */
  readonly ttl?: number
}

/** How often, and how long, an issuer is asked for its keys. */
export interface JwksOptions {
  /** Seconds until an issuer must have answered. Default: 3. */
  readonly timeout?: number
  /** Seconds after which keys are fetched again, while the old ones serve. Default: 600. */
  readonly maxAge?: number
  /** Seconds old keys serve while the issuer cannot be reached. Default: 86400. */
  readonly maxStale?: number
  /** Seconds in which unknown key ids cause at most `burst` fetches; also the longest pause after failures. Default: 30. */
  readonly cooldown?: number
  /** Fetches that unknown key ids may cause within `cooldown`. Default: 2. */
  readonly burst?: number
}

/** What `WWW-Authenticate` says besides the scheme. */
export interface ChallengeOptions {
  /** Names the API to people. Default: none. */
  readonly realm?: string
  /** Whether metadata of this API is served and named in challenges (RFC 9728). Default: true. */
  readonly resourceMetadata?: boolean
}
