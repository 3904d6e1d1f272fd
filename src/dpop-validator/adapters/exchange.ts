import type { PresentedProof } from '../proof/presented-proof.js'
import type { ApiRequest } from '../request/api-request.js'
import type { Scheme } from '../request/credentials.js'
import type { HeaderFields } from '../request/header-fields.js'
import type { Requirements } from '../request/requirements.js'
import type { VerifiedToken } from '../token/access-token.js'
import type { TokenContent } from '../token/token-claims.js'

/** A request while it is decided about: what a refusal has to know of it, however early it comes. */
export interface Exchange {
  readonly request: ApiRequest
  readonly requirements: Requirements
  scheme: Scheme | undefined
  /** Whether no signature has been computed for it yet. */
  beforeCrypto: boolean
  occasion: Occasion | undefined
  /** What the token says, where it could be read: not believed yet, unless it is known from an earlier request. */
  content: TokenContent | undefined
}

/** What a request is for, and with which token: not believed yet. */
export interface Occasion {
  readonly fields: HeaderFields
  /** The URIs that a proof may name in `htu`. */
  readonly uris: readonly string[]
  /** As it was sent, or what was in it when it was encrypted. */
  token: string
}

/** All that a request presents, with its token believed. */
export interface Presentation {
  readonly request: ApiRequest
  readonly requirements: Requirements
  readonly scheme: Scheme
  readonly token: string
  readonly verified: VerifiedToken
  /** Absent with the Bearer scheme. */
  readonly proof: PresentedProof | undefined
  /** Whether the token was known from an earlier request. */
  readonly known: boolean
  /** When the request came: seconds since the epoch. */
  readonly at: number
}
