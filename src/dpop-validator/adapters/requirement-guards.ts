import { type AuthorizationDetailsRequirement, type Requirements, requireWellFormed } from '../request/requirements.js'

/** What a route needs of an access token besides being valid. Used behind `protect`; a token that lacks it is answered 403 or 401. */
export interface RequirementGuards<Guard> {
  /** All of these scopes; each is compared whole. @throws TypeError for what is no scope */
  requireScopes(this: void, ...scopes: string[]): Guard
  /** One of these authentication context classes (RFC 9470 §3). @throws TypeError for what is none */
  requireAcr(this: void, ...acr: string[]): Guard
  /** @param maxAge Seconds since the user signed in, at most (RFC 9470 §3). @throws TypeError unless it is a whole number */
  requireMaxAge(this: void, maxAge: number): Guard
  /** One element of `authorization_details` that says this (RFC 9396 §9). */
  requireAuthorizationDetails(this: void, authorizationDetails: AuthorizationDetailsRequirement): Guard
}

/** @param guardFor how an adapter refuses what does not meet well-formed requirements */
export function createRequirementGuards<Guard>(
  guardFor: (requirements: Requirements) => Guard,
): RequirementGuards<Guard> {
  const guard = (requirements: Requirements): Guard => {
    requireWellFormed(requirements)
    return guardFor(requirements)
  }
  return {
    requireScopes: (...scopes) => guard({ scopes }),
    requireAcr: (...acr) => guard({ acr }),
    requireMaxAge: (maxAge) => guard({ maxAge }),
    requireAuthorizationDetails: (authorizationDetails) => guard({ authorizationDetails }),
  }
}
