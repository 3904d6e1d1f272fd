import type { ClientSecurity } from '../_client-security.js'
import type { Claims } from '../_jose.js'
import type { MessageSigning } from '../_message-signing.js'
import type { RegisteredClient } from './_misbehaviour.js'

/** The suite's metadata: no more of it than there is for the variant. */
export function serverMetadata(
  issuer: string,
  client: RegisteredClient,
  signingAlgorithm: string | undefined,
  signing: MessageSigning,
  { authentication, constraint, asking }: ClientSecurity & { readonly asking: string | undefined },
): Claims {
  const openid = client.scope.split(' ').includes('openid')
  const url = (path: string): string => `${issuer.slice(0, -1)}${path}`
  const alias = (path: string): string => (asking === undefined ? url(`/mtls${path}`) : `${asking}${path}`)
  // Both names of one algorithm: an assertion says the one that its key is registered with.
  const algorithms = ['PS256', 'ES256', 'Ed25519', 'EdDSA']
  return {
    issuer,
    authorization_endpoint: url('/authorize'),
    token_endpoint: url('/token'),
    pushed_authorization_request_endpoint: url('/par'),
    registration_endpoint: url('/register'),
    response_types_supported: ['code'],
    id_token_signing_alg_values_supported: [signingAlgorithm],
    token_endpoint_auth_methods_supported: [authentication === 'mtls' ? 'tls_client_auth' : 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    dpop_signing_alg_values_supported: algorithms,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    // In every plan: a client that has no use for them is not to follow them. Nobody listens there then.
    mtls_endpoint_aliases: {
      pushed_authorization_request_endpoint: alias('/par'),
      token_endpoint: alias('/token'),
      userinfo_endpoint: alias('/userinfo'),
    },
    ...(constraint === 'mtls' && { tls_client_certificate_bound_access_tokens: true }),
    ...(signing.requests !== 'unsigned' && {
      request_parameter_supported: true,
      request_object_signing_alg_values_supported: algorithms,
    }),
    ...(signing.responses === 'jarm' && {
      response_modes_supported: ['jwt'],
      authorization_signing_alg_values_supported: [signingAlgorithm],
    }),
    ...((openid || signing.responses === 'jarm') && { jwks_uri: url('/jwks') }),
    ...(openid && {
      userinfo_endpoint: url('/userinfo'),
      scopes_supported: ['openid'],
      subject_types_supported: ['public'],
    }),
  }
}
