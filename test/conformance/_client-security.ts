/** How clients prove who they are, and what their tokens are bound to: the suite's `client_auth_type` and `sender_constrain`. */
export interface ClientSecurity {
  readonly authentication: 'private_key_jwt' | 'mtls'
  readonly constraint: 'dpop' | 'mtls'
}

export const byKeys: ClientSecurity = { authentication: 'private_key_jwt', constraint: 'dpop' }

/** The other combinations, in which mutual TLS (RFC 8705) has a part. */
export const withMutualTls: readonly ClientSecurity[] = [
  { authentication: 'private_key_jwt', constraint: 'mtls' },
  { authentication: 'mtls', constraint: 'dpop' },
  { authentication: 'mtls', constraint: 'mtls' },
]

export function usesMutualTls({ authentication, constraint }: ClientSecurity): boolean {
  return authentication === 'mtls' || constraint === 'mtls'
}

/** For the titles of tests. */
export function combinationOf(security: ClientSecurity): string {
  return usesMutualTls(security) ? `, ${security.authentication} + ${security.constraint}` : ''
}
