import type { TokenContent } from './access-token.js'
import { refusals } from './auth-error.js'

/** What an access token must be good for. */
export interface Requirements {
  /** All of them. */
  readonly scopes?: readonly string[]
  /** One of them, as in `acr` (RFC 9470 §3). */
  readonly acr?: readonly string[]
  /** Seconds since the user signed in, at most (RFC 9470 §3). */
  readonly maxAge?: number
  /** What one element of `authorization_details` must say (RFC 9396 §9). */
  readonly authorizationDetails?: AuthorizationDetailsRequirement
}

export type AuthorizationDetailsRequirement =
  | { readonly type: string; readonly [member: string]: unknown }
  | ((detail: Readonly<Record<string, unknown>>) => boolean)

/** @throws AuthError `insufficient_scope`, `insufficient_user_authentication` */
export function assertSufficient({ scopes }: TokenContent, required: Requirements): void {
  if (required.scopes?.some((scope) => !scopes.has(scope))) throw refusals.scope
}
