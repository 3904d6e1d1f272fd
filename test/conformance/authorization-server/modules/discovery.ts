import { isJson } from '../_answers.js'
import type { Module } from '../_module.js'

/** Every member that RFC 8414 §2, OpenID Connect Discovery §3 and the specifications after them have registered. */
const registered = new Set(
  `issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint scopes_supported response_types_supported
  response_modes_supported grant_types_supported token_endpoint_auth_methods_supported
  token_endpoint_auth_signing_alg_values_supported service_documentation ui_locales_supported op_policy_uri op_tos_uri
  revocation_endpoint revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
  introspection_endpoint introspection_endpoint_auth_methods_supported
  introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported signed_metadata
  device_authorization_endpoint tls_client_certificate_bound_access_tokens mtls_endpoint_aliases userinfo_endpoint
  acr_values_supported subject_types_supported id_token_signing_alg_values_supported
  id_token_encryption_alg_values_supported id_token_encryption_enc_values_supported
  userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported
  userinfo_encryption_enc_values_supported request_object_signing_alg_values_supported
  request_object_encryption_alg_values_supported request_object_encryption_enc_values_supported
  display_values_supported claim_types_supported claims_supported claims_locales_supported claims_parameter_supported
  request_parameter_supported request_uri_parameter_supported require_request_uri_registration
  require_signed_request_object pushed_authorization_request_endpoint require_pushed_authorization_requests
  authorization_response_iss_parameter_supported authorization_signing_alg_values_supported
  authorization_encryption_alg_values_supported authorization_encryption_enc_values_supported
  dpop_signing_alg_values_supported authorization_details_types_supported prompt_values_supported
  end_session_endpoint check_session_iframe frontchannel_logout_supported frontchannel_logout_session_supported
  backchannel_logout_supported backchannel_logout_session_supported
  backchannel_authentication_endpoint backchannel_token_delivery_modes_supported
  introspection_signing_alg_values_supported protected_resources client_id_metadata_document_supported`.split(/\s+/),
)

export const discovery: readonly Module[] = [
  {
    name: 'discovery-end-point-verification',
    async run({ conversation: { t, server, send, openid, signing, security, jwks } }) {
      const path = openid ? 'openid-configuration' : 'oauth-authorization-server'
      const issuer = new URL(server.issuer)
      // RFC 8414 §3.1 puts the well-known part before an issuer's path, OpenID Connect Discovery §4 behind it.
      const url = openid
        ? `${server.issuer.replace(/\/$/, '')}/.well-known/${path}`
        : `${issuer.origin}/.well-known/${path}${issuer.pathname.replace(/\/$/, '')}`
      const answer = await send(url)
      t.is(answer.status, 200)
      t.true(isJson(answer))
      const metadata = answer.json()
      const list = (member: string): unknown[] => {
        const value = metadata[member]
        t.true(Array.isArray(value) && value.length > 0, member)
        return Array.isArray(value) ? value : []
      }
      const hasFapiAlgorithm = (member: string): void => {
        t.true(
          list(member).some((algorithm) => ['PS256', 'ES256', 'EdDSA', 'Ed25519'].includes(String(algorithm))),
          member,
        )
      }
      const isHttps = (member: string): void => {
        t.regex(String(metadata[member]), /^https:\/\//, member)
      }

      t.is(metadata.issuer, server.issuer)
      t.regex(server.issuer, /^https:\/\/[^?#]+$/)
      t.true(list('response_types_supported').includes('code'))
      // In a signed answer it is inside.
      if (signing.responses === 'plain_response') t.is(metadata.authorization_response_iss_parameter_supported, true)
      else {
        t.true(list('response_modes_supported').includes('jwt'))
        isHttps('jwks_uri')
        if (metadata.authorization_signing_alg_values_supported !== undefined)
          hasFapiAlgorithm('authorization_signing_alg_values_supported')
      }
      if (signing.requests !== 'unsigned') hasFapiAlgorithm('request_object_signing_alg_values_supported')
      t.is(typeof metadata.require_pushed_authorization_requests, 'boolean')
      for (const member of Object.keys(metadata).filter((name) => name.endsWith('_endpoint'))) isHttps(member)
      for (const member of ['authorization_endpoint', 'token_endpoint', 'pushed_authorization_request_endpoint'])
        isHttps(member)
      if (security.constraint === 'dpop') hasFapiAlgorithm('dpop_signing_alg_values_supported')
      else t.is(metadata.tls_client_certificate_bound_access_tokens, true)
      const methods = list('token_endpoint_auth_methods_supported')
      if (methods.includes('private_key_jwt')) hasFapiAlgorithm('token_endpoint_auth_signing_alg_values_supported')
      const wanted =
        security.authentication === 'mtls' ? ['tls_client_auth', 'self_signed_tls_client_auth'] : ['private_key_jwt']
      t.true(wanted.some((method) => methods.includes(method)))
      const { mtls_endpoint_aliases: aliases = {} } = metadata
      for (const [member, url] of Object.entries(aliases as object)) {
        t.true(member.endsWith('_endpoint') && member !== 'authorization_endpoint' && member in metadata, member)
        t.regex(String(url), /^https:\/\//, member)
      }
      t.true(list('code_challenge_methods_supported').includes('S256'))
      if (metadata.grant_types_supported !== undefined)
        t.true(list('grant_types_supported').includes('authorization_code'))
      if (metadata.userinfo_signing_alg_values_supported !== undefined)
        hasFapiAlgorithm('userinfo_signing_alg_values_supported')
      // Wanted in `plain_oauth` as well, where a server has them.
      if (openid || metadata.id_token_signing_alg_values_supported !== undefined)
        hasFapiAlgorithm('id_token_signing_alg_values_supported')
      if (openid) {
        isHttps('jwks_uri')
        isHttps('userinfo_endpoint')
        t.true(list('scopes_supported').includes('openid'))
        list('subject_types_supported')
      }
      t.deepEqual(
        Object.keys(metadata).filter((member) => !registered.has(member)),
        [],
        'members that the suite does not know',
      )

      t.true(jwks.length > 0)
      const kids = jwks.map(({ kid }) => kid)
      t.is(new Set(kids).size, kids.length, 'FAPI 2.0 §5.4.2: a repeated kid')
      for (const key of jwks) {
        t.true(typeof key.kid === 'string' && key.kid !== '')
        for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
          t.false(member in key, `the private member ${member}`)
        t.true(key.kty !== 'RSA' || Buffer.from(key.n ?? '', 'base64url').length >= 256, 'RSA below 2048 bits')
        t.true(key.kty !== 'EC' || Buffer.from(key.x ?? '', 'base64url').length >= 28, 'EC below 224 bits')
        t.false('x5u' in key || 'jku' in key)
      }
    },
  },
]
