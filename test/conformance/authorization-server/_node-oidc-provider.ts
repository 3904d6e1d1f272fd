import { randomBytes } from 'node:crypto'
import { type JWKS, Provider } from 'oidc-provider'
import { tlsPreset } from '../../../src/http/tls.js'
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
export async function startNodeOidcProvider({ clients, signing }: Registration): Promise<ServerUnderTest> {
  globalThis.Date = ShiftedDate as DateConstructor
  // It greets every start with notices on what is fit for development only.
  console.info = console.warn = () => {}
  const jwks = [await generateKey('PS256'), await generateKey('ES256')].map(({ privateJwk }) => privateJwk)
  let issuer = ''
  const { close } = await listenSecurely(tlsPreset, (origin) => {
    issuer = origin
    const provider = new Provider(origin, {
      jwks: { keys: jwks } as JWKS,
      clients: clients.map(({ id, publicJwk, redirectUris }) => ({
        client_id: id,
        redirect_uris: [...redirectUris],
        response_types: ['code'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [publicJwk] } as JWKS,
        dpop_bound_access_tokens: true,
        id_token_signed_response_alg: 'PS256',
        require_pushed_authorization_requests: true,
        ...(signing.requests !== 'unsigned' && { require_signed_request_object: true }),
        ...(signing.responses === 'jarm' && { authorization_signed_response_alg: 'PS256' }),
      })),
      scopes: ['openid', 'offline_access', 'accounts'],
      clientAuthMethods: ['private_key_jwt'],
      responseTypes: ['code'],
      pkce: { required: () => true },
      rotateRefreshToken: false,
      issueRefreshToken: async (_ctx, client, code) =>
        client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
      features: {
        dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => false },
        pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
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
    return provider.callback()
  })
  return {
    issuer,
    resourceUrl: `${issuer}/me`,
    now: () => Math.floor(Date.now() / 1000),
    advance(seconds) {
      offset += seconds * 1000
    },
    close,
  }
}
