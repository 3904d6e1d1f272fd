import { randomBytes, X509Certificate } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { type Configuration, type JWKS, Provider } from 'oidc-provider'
import { tlsPreset } from '../../../src/http/tls.js'
import { certificateJwk } from '../../../src/jose/certificate.js'
import { byKeys, usesMutualTls } from '../_client-security.js'
import { listenSecurely } from '../_https.js'
import { generateKey } from '../_jose.js'
import type { Registration, ServerUnderTest } from './_server-under-test.js'

let offset = 0

/** node-oidc-provider takes the time from the process: both `Date.now()` and `new Date()`. */
class ShiftedDate extends Date {
  constructor(...time: [] | [string | number | Date]) {
    super(...((time.length === 0 ? [ShiftedDate.now()] : time) as [number]))
  }

  static override now(): number {
    return RealDate.now() + offset
  }
}
const RealDate = Date

/**
 * node-oidc-provider, set up for the FAPI 2.0 Security Profile: the other server that the modules are tried on, so that a
 * wrong module shows. It takes the time from the process, so its tests run one after the other. Its userinfo endpoint is
 * the protected resource, which is why it stands for `openid_connect` only.
 */
export async function startNodeOidcProvider(registration: Registration): Promise<ServerUnderTest> {
  const { clients, signing, security = byKeys, authority } = registration
  let moved = 0
  const isBound = security.constraint === 'mtls'
  globalThis.Date = ShiftedDate as DateConstructor
  // It greets every start with notices on what is fit for development only.
  console.info = console.warn = () => {}
  const jwks = [await generateKey('PS256'), await generateKey('ES256')].map(({ privateJwk }) => privateJwk)
  let issuer = ''
  let answer: RequestListener | undefined
  const asking = usesMutualTls(security)
    ? await listenSecurely(
        { ...tlsPreset, requestCert: true, rejectUnauthorized: false, ca: authority ?? [] },
        () => (request, response) => answer?.(request, response),
      )
    : undefined
  const { close } = await listenSecurely(tlsPreset, (origin) => {
    issuer = origin
    const provider = new Provider(origin, {
      jwks: { keys: jwks } as JWKS,
      clients: clients.map(({ id, publicJwk, redirectUris, certificate }) => ({
        client_id: id,
        redirect_uris: [...redirectUris],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
        ...(security.authentication === 'mtls'
          ? id === 'client-1'
            ? { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=client-1' }
            : { token_endpoint_auth_method: 'self_signed_tls_client_auth' }
          : { token_endpoint_auth_method: 'private_key_jwt' as const }),
        jwks: { keys: [publicJwk, ...certificateKeys(certificate)] } as JWKS,
        dpop_bound_access_tokens: !isBound,
        tls_client_certificate_bound_access_tokens: isBound,
        id_token_signed_response_alg: 'PS256',
        require_pushed_authorization_requests: true,
        ...(signing.requests !== 'unsigned' && { require_signed_request_object: true }),
        ...(signing.responses === 'jarm' && { authorization_signed_response_alg: 'PS256' }),
      })),
      scopes: ['openid', 'offline_access', 'accounts'],
      clientAuthMethods: [
        'private_key_jwt',
        ...(asking ? (['tls_client_auth', 'self_signed_tls_client_auth'] as const) : []),
      ],
      ...(asking !== undefined && { discovery: { mtls_endpoint_aliases: aliasesAt(asking.origin) } }),
      responseTypes: ['code'],
      pkce: { required: () => true },
      rotateRefreshToken: false,
      issueRefreshToken: async (_ctx, client, code) =>
        client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
      features: {
        dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => false },
        pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
        ...(asking !== undefined && { mTLS }),
        fapi: { enabled: true, profile: '2.0' },
        userinfo: { enabled: true },
        ...(signing.requests !== 'unsigned' && { requestObjects: { enabled: true } }),
        ...(signing.responses === 'jarm' && { jwtResponseModes: { enabled: true } }),
      },
      cookies: { keys: [randomBytes(16).toString('hex')] },
      enabledJWA: {
        clientAuthSigningAlgValues: ['PS256', 'ES256', 'Ed25519', 'EdDSA'],
        dPoPSigningAlgValues: ['PS256', 'ES256', 'Ed25519', 'EdDSA'],
        idTokenSigningAlgValues: ['PS256', 'ES256'],
        requestObjectSigningAlgValues: ['PS256', 'ES256', 'Ed25519', 'EdDSA'],
        authorizationSigningAlgValues: ['PS256', 'ES256'],
      },
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    })
    answer = provider.callback()
    return answer
  })
  return {
    issuer,
    resourceUrl: `${isBound ? asking?.origin : issuer}/me`,
    now: () => Math.floor(Date.now() / 1000),
    advance(seconds) {
      offset += seconds * 1000
      moved += seconds * 1000
    },
    async close() {
      // Others of this process go on.
      offset -= moved
      await Promise.all([close(), asking?.close()])
    },
  }
}

const mTLS = {
  enabled: true,
  certificateBoundAccessTokens: true,
  tlsClientAuth: true,
  selfSignedTlsClientAuth: true,
  getCertificate: ({ req }) => (req.socket as TLSSocket).getPeerX509Certificate()?.toString(),
  certificateAuthorized: ({ req }) => (req.socket as TLSSocket).authorized,
  certificateSubjectMatches: ({ req }, property, expected) =>
    property === 'tls_client_auth_subject_dn' &&
    (req.socket as TLSSocket).getPeerX509Certificate()?.subject === expected,
} as const satisfies NonNullable<Configuration['features']>['mTLS']

function aliasesAt(origin: string) {
  return {
    pushed_authorization_request_endpoint: `${origin}/request`,
    token_endpoint: `${origin}/token`,
    userinfo_endpoint: `${origin}/me`,
  }
}

function certificateKeys(certificate: string | undefined) {
  return certificate === undefined ? [] : [certificateJwk(new X509Certificate(certificate))]
}
