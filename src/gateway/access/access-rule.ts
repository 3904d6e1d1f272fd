import type { AccessRule } from '../route-options.js'

type Claims = Readonly<Record<string, unknown>>

/** A rule that is ready for calls. */
export interface ReadyRule {
  /** The claim, as a refusal names it. */
  readonly claim: string
  holds(claims: Claims): boolean
}

/**
 * The members that lead to a claim. Dots part them, as in `realm_access.roles`; a text with `://` is one name, for names of
 * claims may be URLs (OpenID Connect Core §5.1.2); a list is taken as it stands: `["resource_access", "my.client", "roles"]`.
 */
export function claimPath(claim: AccessRule['claim']): readonly string[] {
  if (typeof claim !== 'string') return claim
  return claim.includes('://') ? [claim] : claim.split('.')
}

export function readyRule({ claim, anyOf }: AccessRule): ReadyRule {
  const path = claimPath(claim)
  const accepted = new Set(anyOf)
  return {
    claim: path.join('.'),
    holds: (claims) => valuesOf(valueAt(claims, path)).some((value) => accepted.has(value)),
  }
}

function valueAt(claims: Claims, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    claims,
  )
}

/** A text is one value, and each of its words is one (as in `scope`); an entry of a list is never taken apart. */
function valuesOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value, ...value.split(' ')]
  return (Array.isArray(value) ? value : [value]).filter(isScalar).map(String)
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
