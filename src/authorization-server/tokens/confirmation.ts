/**
 * What a token is bound to, `cnf` of RFC 7800: the key of a DPoP proof (RFC 9449 §6), or a client's certificate
 * (RFC 8705 §3.1). There is no token without.
 */
export type Confirmation = { readonly jkt: string } | { readonly 'x5t#S256': string }

/** As it stands in a token of ours. */
export function confirmationOf(cnf: unknown): Confirmation | undefined {
  if (typeof cnf !== 'object' || cnf === null) return undefined
  if ('jkt' in cnf && typeof cnf.jkt === 'string') return { jkt: cnf.jkt }
  if ('x5t#S256' in cnf && typeof cnf['x5t#S256'] === 'string') return { 'x5t#S256': cnf['x5t#S256'] }
  return undefined
}

export function isSameConfirmation(one: Confirmation, other: Confirmation): boolean {
  if ('jkt' in one) return 'jkt' in other && one.jkt === other.jkt
  return !('jkt' in other) && one['x5t#S256'] === other['x5t#S256']
}

/** How such a token is sent. @see RFC 9449 §5, RFC 8705 §3 */
export function tokenTypeOf(confirmation: Confirmation): 'DPoP' | 'Bearer' {
  return 'jkt' in confirmation ? 'DPoP' : 'Bearer'
}
