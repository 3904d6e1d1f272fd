/** Where each endpoint is: what metadata says and what proofs are checked against. Never made from a request. */
export interface EndpointUrls {
  readonly openidConfiguration: URL
  readonly authorizationServerMetadata: URL
  /** RFC 8414 §3.1 puts the well-known part before the issuer's path. */
  readonly insertedAuthorizationServerMetadata: URL
  readonly jwks: URL
  readonly authorization: URL
  readonly pushedAuthorizationRequest: URL
  readonly token: URL
  readonly userinfo: URL
  readonly introspection: URL
  readonly revocation: URL
  readonly endSession: URL
}

export function endpointUrls(issuer: URL): EndpointUrls {
  const path = issuer.pathname.replace(/\/$/, '')
  const at = (below: string): URL => new URL(`${path}${below}`, issuer)
  return {
    openidConfiguration: at('/.well-known/openid-configuration'),
    authorizationServerMetadata: at('/.well-known/oauth-authorization-server'),
    insertedAuthorizationServerMetadata: new URL(`/.well-known/oauth-authorization-server${path}`, issuer),
    jwks: at('/connect/jwks'),
    authorization: at('/connect/authorize'),
    pushedAuthorizationRequest: at('/connect/par'),
    token: at('/connect/token'),
    userinfo: at('/connect/userinfo'),
    introspection: at('/connect/introspect'),
    revocation: at('/connect/revoke'),
    endSession: at('/connect/endsession'),
  }
}

/** The issuer identifier as a string: a bare origin is written without the slash that `URL` appends. */
export function issuerIdentifier(issuer: URL): string {
  return issuer.pathname === '/' ? issuer.origin : issuer.href
}
