import type { Algorithm, Claims, KeyPair } from '../_jose.js'

/** How this server differs from one that does everything right. */
export interface Misbehaviour {
  readonly metadata?: (metadata: Claims) => Claims
  /** Changes the parameters of the authorization response. */
  readonly authorizationResponse?: (response: URLSearchParams) => void
  /** Changes the claims of a signed authorization response. */
  readonly signedResponse?: (claims: Claims) => Claims
  /** How it is signed. */
  readonly signedResponseAlgorithm?: Algorithm
  /** What to do to it once it is finished. */
  readonly spoilResponse?: (response: string) => string
  /** Sends it in the other way than was asked for. */
  readonly otherResponseMode?: true
  readonly idToken?: (claims: Claims) => Claims
  /** How the ID token is signed. */
  readonly idTokenAlgorithm?: Algorithm
  /** What to do to the finished ID token. */
  readonly spoil?: (idToken: string) => string
  readonly tokenResponse?: (response: Claims) => Claims
  /** How the resource spells the scheme of its challenges. */
  readonly challengeScheme?: string
  readonly nonces?: 'demanded' | 'none'
}

export interface RegisteredClient {
  readonly id: string
  readonly key: KeyPair
  /** PEM. Absent where nothing is done by mutual TLS. */
  readonly certificate?: string
  readonly scope: string
  /** Known once the client is up. */
  redirectUri: string
}
