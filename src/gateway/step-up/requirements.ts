import { isAcrValues, isMaxAge } from '../frontend/authentication-grammar.js'
import type { RouteOptions } from '../route-options.js'

/** How and when the user signed in, as the ID token of the login says. */
export interface Authentication {
  readonly acr?: string
  /** `auth_time`, seconds since the epoch. */
  readonly time?: number
}

/**
 * What is asked of a sign-in. Never empty.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 RFC 9470 §3}
 */
export interface Requirements {
  /** One of them. */
  readonly acrValues?: readonly string[]
  /** Seconds since the user signed in, at most. */
  readonly maxAge?: number
}

export function authenticationOf({ acr, auth_time: time }: Readonly<Record<string, unknown>>): Authentication {
  return { ...(typeof acr === 'string' && { acr }), ...(typeof time === 'number' && { time }) }
}

/** Which of the requirements a sign-in does not meet; undefined when it meets them all. What is not known is not met. */
export function unmetBy(
  { acr, time }: Authentication,
  { acrValues, maxAge }: Requirements,
  at: number,
): 'acr' | 'auth_time' | undefined {
  if (acrValues !== undefined && (acr === undefined || !acrValues.includes(acr))) return 'acr'
  if (maxAge !== undefined && (time === undefined || at - time > maxAge)) return 'auth_time'
  return undefined
}

export function requirementsOfRoute({
  acrValues,
  maxAuthenticationAge: maxAge,
}: Pick<RouteOptions, 'acrValues' | 'maxAuthenticationAge'>): Requirements | undefined {
  if (acrValues === undefined && maxAge === undefined) return undefined
  return { ...(acrValues !== undefined && { acrValues }), ...(maxAge !== undefined && { maxAge }) }
}

/** As parameters of an authorization request, of a login link and of a challenge. */
export type RequirementParameters = Readonly<Partial<Record<'acr_values' | 'max_age', string>>>

export function parametersOf({ acrValues, maxAge }: Requirements): RequirementParameters {
  return {
    ...(acrValues !== undefined && { acr_values: acrValues.join(' ') }),
    ...(maxAge !== undefined && { max_age: String(maxAge) }),
  }
}

/** The same for the same requirements. */
export function textOf(requirements: Requirements): string {
  return new URLSearchParams(parametersOf(requirements)).toString()
}

/** Undefined when they ask for nothing, or are not written as they have to be. */
export function requirementsOf({
  acr_values: acrValues,
  max_age: maxAge,
}: RequirementParameters): Requirements | undefined {
  if (acrValues === undefined && maxAge === undefined) return undefined
  if (acrValues !== undefined && !isAcrValues(acrValues)) return undefined
  if (maxAge !== undefined && !isMaxAge(maxAge)) return undefined
  return {
    ...(acrValues !== undefined && { acrValues: acrValues.split(' ') }),
    ...(maxAge !== undefined && { maxAge: Number(maxAge) }),
  }
}
