import { signatureAlgorithms } from '../../jose/jwk.js'
import type { CertificateAuthentication, MutualTlsOptions } from '../client/certificate-options.js'
import { grantTypes } from '../client/permissions.js'
import { type EndpointUrls, mutualTlsEndpoints } from '../endpoint-urls.js'
import type { AuthorizationDetailTypeOptions, ClientOptions, ScopeOptions, ServerAlgorithm } from '../options.js'
import { supportedLocales } from '../pages/languages/language.js'
import { standardClaims, standardScopes } from '../tokens/claims.js'
import { nameOf } from '../tokens/jws.js'

export interface MetadataOptions {
  readonly issuer: string
  readonly urls: EndpointUrls
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly scopes: readonly ScopeOptions[]
  readonly algorithms: readonly ServerAlgorithm[]
  readonly requireSignedRequests: boolean
  readonly authorizationDetailTypes: readonly AuthorizationDetailTypeOptions[]
  readonly mutualTls: MutualTlsOptions | undefined
}

/** What the server says about itself, in both of its documents. @see RFC 8414 §2, OpenID Connect Discovery §3 */
export function metadata({
  issuer,
  urls,
  clients,
  scopes,
  algorithms,
  requireSignedRequests,
  authorizationDetailTypes,
  mutualTls,
}: MetadataOptions) {
  // EdDSA is what most of today's clients call it, Ed25519 its name since RFC 9864.
  const accepted = [...signatureAlgorithms, 'EdDSA']
  const methods = ['private_key_jwt', ...(mutualTls === undefined ? [] : certificateMethods)]
  const types = authorizationDetailTypes.map(({ type }) => type)
  const clientScopes = [...clients.values()].flatMap(({ permissions }) => permissions.scopes)
  return {
    issuer,
    authorization_endpoint: urls.authorization.href,
    pushed_authorization_request_endpoint: urls.pushedAuthorizationRequest.href,
    require_pushed_authorization_requests: true,
    token_endpoint: urls.token.href,
    userinfo_endpoint: urls.userinfo.href,
    introspection_endpoint: urls.introspection.href,
    revocation_endpoint: urls.revocation.href,
    end_session_endpoint: urls.endSession.href,
    jwks_uri: urls.jwks.href,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'jwt', 'query.jwt'],
    grant_types_supported: Object.keys(grantTypes),
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: accepted,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: accepted,
    introspection_signing_alg_values_supported: algorithms.map(nameOf),
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: accepted,
    dpop_signing_alg_values_supported: accepted,
    ...(mutualTls !== undefined && mutualTlsMembers(urls, mutualTls)),
    authorization_response_iss_parameter_supported: true,
    authorization_signing_alg_values_supported: algorithms.map(nameOf),
    scopes_supported: [...new Set([...standardScopes, ...clientScopes, ...scopes.map(({ name }) => name)])],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms.map(nameOf),
    claim_types_supported: ['normal'],
    claims_supported: [...standardClaims, 'auth_time', 'amr', 'acr', 'sid'],
    claims_parameter_supported: false,
    ...(types.length > 0 && { authorization_details_types_supported: types }),
    // Where requests are pushed (RFC 9126 §3); by reference, never from a place that a client names.
    request_parameter_supported: true,
    request_object_signing_alg_values_supported: accepted,
    require_signed_request_object: requireSignedRequests,
    request_uri_parameter_supported: false,
    prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    ui_locales_supported: supportedLocales,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    ...([...clients.values()].some(({ frontchannelLogoutUri }) => frontchannelLogoutUri !== undefined) && {
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
    }),
  }
}

const certificateMethods: readonly CertificateAuthentication['method'][] = [
  'tls_client_auth',
  'self_signed_tls_client_auth',
]

/** @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-5 RFC 8705 §3.3 and §5} */
function mutualTlsMembers(urls: EndpointUrls, { origin }: MutualTlsOptions) {
  const bound = { tls_client_certificate_bound_access_tokens: true }
  if (origin === undefined) return bound
  const aliases = mutualTlsEndpoints.map(([member, name]) => [member, new URL(urls[name].pathname, origin).href])
  return { ...bound, mtls_endpoint_aliases: Object.fromEntries(aliases) }
}
