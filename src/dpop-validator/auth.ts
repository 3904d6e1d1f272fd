import type { ApiRequest } from './request/api-request.js'
import type { Scheme } from './request/credentials.js'
import type { Requirements } from './request/requirements.js'
import type { Answer } from './response/challenge.js'
import type { AccessTokenClaims, TokenContent } from './token/token-claims.js'

export type { AccessTokenClaims }

/** The proof that came with the token. */
export interface AuthProof {
  /** Its own name: it is accepted once. */
  readonly jti: string
  /** Seconds since the epoch. */
  readonly iat: number
  /** Seconds between the proof's `iat` and its arrival; negative when the client's clock is ahead. */
  readonly age: number
  /** The nonce it was made with. */
  readonly nonce: string | undefined
}

/** @param met What is required besides, and was found: a client that is refused has to keep it when it comes again. */
export type Lacks = (
  auth: Auth,
  requirements: Requirements,
  met: Requirements,
  request: ApiRequest,
) => Answer | undefined

/**
 * Who calls, and with what. A class for one reason: the access token is in a private field, which neither a log line nor
 * `JSON.stringify` can see, and is still there for the handler that must pass it on.
 */
export class Auth<Claims extends AccessTokenClaims = AccessTokenClaims> {
  /** How the token was sent. */
  readonly scheme: Scheme
  /** Who issued the token: `iss`. */
  readonly issuer: string
  /** The user, or the client itself: `sub`. */
  readonly subject: string | undefined
  /** The client that the token was issued to. */
  readonly clientId: string | undefined
  /** What the token was granted. */
  readonly scopes: ReadonlySet<string>
  /** All that the token says. */
  readonly claims: Claims
  /** The access token's JOSE header; empty for an opaque token. */
  readonly header: Readonly<Record<string, unknown>>
  /** Thumbprint of the key that the access token is bound to. */
  readonly jkt: string | undefined
  /** Undefined for a Bearer token. */
  readonly proof: AuthProof | undefined
  /** Whether the access token was known from an earlier request. */
  readonly cached: boolean
  readonly #token: string
  /** What the request had to be good for to get here. */
  readonly #met: Requirements
  readonly #request: ApiRequest
  readonly #lacks: Lacks

  /** Made by the verifier. */
  constructor(
    scheme: Scheme,
    token: string,
    { issuer, subject, clientId, scopes, claims, header, jkt }: TokenContent,
    proof: AuthProof | undefined,
    cached: boolean,
    met: Requirements,
    request: ApiRequest,
    lacks: Lacks,
  ) {
    this.scheme = scheme
    this.issuer = issuer
    this.subject = subject
    this.clientId = clientId
    this.scopes = scopes
    // The caller of `createVerifier<Claims>` knows what its issuer puts in.
    this.claims = claims as Claims
    this.header = header
    this.jkt = jkt
    this.proof = proof
    this.cached = cached
    this.#token = token
    this.#met = met
    this.#request = request
    this.#lacks = lacks
  }

  /** The access token as it was received. */
  get token(): string {
    return this.#token
  }

  /** Undefined when the access token is good for it; otherwise the refusal to send. */
  lacks(requirements: Requirements): Answer | undefined {
    return this.#lacks(this, requirements, this.#met, this.#request)
  }
}
