import { isDeepStrictEqual } from 'node:util'
import { isJsonObject } from '../../jose/json-object.js'
import { refusals } from '../response/auth-error.js'
import type { AccessTokenClaims } from '../token/token-claims.js'

/** What an access token must be good for. */
export interface Requirements {
  /** All of them; each is compared whole. */
  readonly scopes?: readonly string[]
  /** One of them, as in `acr` (RFC 9470 §3). */
  readonly acr?: readonly string[]
  /** Seconds since the user signed in, at most (RFC 9470 §3). */
  readonly maxAge?: number
  /** What one element of `authorization_details` must say (RFC 9396 §9). */
  readonly authorizationDetails?: AuthorizationDetailsRequirement
}

/** Members that have to be there with these values, or a function that decides about one element. */
export type AuthorizationDetailsRequirement =
  | { readonly type: string; readonly [member: string]: unknown }
  | ((detail: Readonly<Record<string, unknown>>) => boolean)

/** @throws AuthError `insufficient_scope`, `insufficient_user_authentication` */
export function assertSufficient(
  scopes: ReadonlySet<string>,
  { acr, auth_time, authorization_details }: AccessTokenClaims,
  required: Requirements,
  now: number,
): void {
  if (required.scopes !== undefined) for (const scope of required.scopes) if (!scopes.has(scope)) throw refusals.scope
  if (required.authorizationDetails !== undefined && !hasDetail(authorization_details, required.authorizationDetails))
    throw refusals.authorizationDetails
  if (required.acr !== undefined && !(typeof acr === 'string' && required.acr.includes(acr))) throw refusals.acr
  if (required.maxAge !== undefined && !(typeof auth_time === 'number' && now - auth_time <= required.maxAge))
    throw refusals.maxAge
}

function hasDetail(details: unknown, required: AuthorizationDetailsRequirement): boolean {
  if (!Array.isArray(details)) return false
  return details
    .filter(isJsonObject)
    .some((detail) =>
      typeof required === 'function'
        ? required(detail)
        : Object.entries(required).every(([name, value]) => isDeepStrictEqual(detail[name], value)),
    )
}

/** @throws TypeError for what would break a challenge, or never be met */
export function requireWellFormed({ scopes = [], acr = [], maxAge }: Requirements): void {
  for (const value of [...scopes, ...acr])
    if (!/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value))
      throw new TypeError(`${JSON.stringify(value)} is not a scope or acr`)
  if (maxAge !== undefined && !(Number.isSafeInteger(maxAge) && maxAge >= 0))
    throw new TypeError('maxAge is not a whole number of seconds')
}
