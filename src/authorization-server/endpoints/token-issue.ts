import type { AuthorizationDetail, ClientOptions } from '../options.js'
import type { Confirmation } from '../tokens/confirmation.js'
import type { Grant } from '../tokens/grant.js'

/** An authenticated request for tokens, with what they are to be bound to. */
export interface TokenRequest {
  readonly requestId: string
  readonly client: ClientOptions
  readonly form: ReadonlyMap<string, string>
  readonly confirmation: Confirmation
}

/** What is answered. */
export interface Issue {
  readonly grantId: string
  readonly grant: Grant
  readonly scopes: readonly string[]
  readonly audience: readonly string[]
  /** Absent: nothing besides scopes. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  readonly nonce?: string
  readonly refreshToken?: string
  /** Seconds since the epoch: the access token ends no later. */
  readonly notAfter?: number
}
