import type { AccessTokenClaims, Auth } from './auth.js'
import type { AuthError } from './response/auth-error.js'
import type { Answer } from './response/challenge.js'

/** Header fields for the response of a request that is let through. */
export type ResponseHeaders = readonly (readonly [name: string, value: string])[]

/** What has been decided about a request. An adapter does what it says. */
export type Verdict<Claims extends AccessTokenClaims = AccessTokenClaims> =
  | { readonly kind: 'accepted'; readonly auth: Auth<Claims>; readonly headers: ResponseHeaders }
  /** A CORS preflight: it carries no token and wants none. */
  | { readonly kind: 'preflight' }
  /** Our own metadata, which any caller may read. */
  | { readonly kind: 'public'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly error: AuthError; readonly answer: Answer }
