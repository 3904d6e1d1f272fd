/** Below the issuer. */
export const endpointPaths = {
  openidConfiguration: '/.well-known/openid-configuration',
  authorizationServerMetadata: '/.well-known/oauth-authorization-server',
  jwks: '/connect/jwks',
  authorization: '/connect/authorize',
  pushedAuthorizationRequest: '/connect/par',
  token: '/connect/token',
  userinfo: '/connect/userinfo',
  introspection: '/connect/introspect',
  revocation: '/connect/revoke',
  endSession: '/connect/endsession',
} as const

/** Those that clients call themselves, by the names that metadata have for them: where they may show a certificate (RFC 8705 §5). */
export const mutualTlsEndpoints = [
  ['pushed_authorization_request_endpoint', 'pushedAuthorizationRequest'],
  ['token_endpoint', 'token'],
  ['userinfo_endpoint', 'userinfo'],
  ['introspection_endpoint', 'introspection'],
  ['revocation_endpoint', 'revocation'],
] as const satisfies readonly (readonly [member: string, name: keyof typeof endpointPaths])[]

/** Where each endpoint is: what metadata says and what proofs are checked against. Never made from a request. */
export interface EndpointUrls extends Readonly<Record<keyof typeof endpointPaths, URL>> {
  /** RFC 8414 §3.1 puts the well-known part before the issuer's path. */
  readonly insertedAuthorizationServerMetadata: URL
}

export function endpointUrls(issuer: URL): EndpointUrls {
  const base = issuer.pathname.replace(/\/$/, '')
  const below = Object.entries(endpointPaths).map(([name, path]) => [name, new URL(base + path, issuer)])
  return {
    ...(Object.fromEntries(below) as Record<keyof typeof endpointPaths, URL>),
    insertedAuthorizationServerMetadata: new URL(endpointPaths.authorizationServerMetadata + base, issuer),
  }
}

/** The issuer identifier as a string: a bare origin is written without the slash that `URL` appends. */
export function issuerIdentifier(issuer: URL): string {
  return issuer.pathname === '/' ? issuer.origin : issuer.href
}
