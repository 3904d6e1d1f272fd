import type { UserClaims } from '../options.js'

/** OpenID Connect Core §5.4, and `roles` as OpenIddict has it. */
const claimsOfScope: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
  roles: ['roles'],
}

export const standardScopes = ['openid', 'offline_access', ...Object.keys(claimsOfScope)]
export const standardClaims = ['sub', ...Object.values(claimsOfScope).flat()]

/** Undefined for claims that no scope brings. */
export function scopeOfClaim(name: string): string | undefined {
  return Object.keys(claimsOfScope).find((scope) => claimsOfScope[scope]?.includes(name))
}

/** What of a user's claims the scopes let a client see. */
export function claimsFor(scopes: readonly string[], claims: UserClaims): UserClaims {
  const visible = scopes.flatMap((scope) => (Object.hasOwn(claimsOfScope, scope) ? (claimsOfScope[scope] ?? []) : []))
  return Object.fromEntries(visible.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]]))
}
