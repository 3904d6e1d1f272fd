/** What a token or a server has said of a user. */
type Claims = Readonly<Record<string, unknown>>

/**
 * The members that lead to a claim. Dots part them, as in `realm_access.roles`; a text with `://` is one name, for names of
 * claims may be URLs (OpenID Connect Core §5.1.2); a list is taken as it stands: `["resource_access", "my.client", "roles"]`.
 */
export function claimPath(claim: string | readonly string[]): readonly string[] {
  if (typeof claim !== 'string') return claim
  return claim.includes('://') ? [claim] : claim.split('.')
}

/** Undefined where there is none. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    claims,
  )
}

/** Whether a claim has one value, which can be written down. */
export function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
