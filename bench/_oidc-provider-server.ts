import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'
import { generateSigningJwk, type Jwk } from '../src/jose/jwk.js'
import { redirectUri } from './_flow-client.js'
import { report } from './_report.js'

/** As its documentation sets it up for FAPI 2.0, with JWT access tokens as ours are, and without rotation, as ours. */
const publicJwk = JSON.parse(process.argv[2] ?? '') as Jwk
const http = createServer()
await report(http, async (issuer) => {
  const { alg, use, ...clientJwk } = publicJwk
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...generateSigningJwk('ES256'), use: 'sig' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: ['openid', 'offline_access'],
    clients: [
      {
        client_id: 'client-1',
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        id_token_signed_response_alg: 'ES256',
        dpop_bound_access_tokens: true,
        require_pushed_authorization_requests: true,
        jwks: { keys: [{ ...clientJwk, alg: 'ES256', use: 'sig' }] },
      },
    ],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    rotateRefreshToken: false,
    issueRefreshToken: async () => true,
    findAccount: async (_, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      IdToken: 600,
      RefreshToken: 1_209_600,
      Session: 28_800,
      Grant: 1_209_600,
      Interaction: 900,
    },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      fapi: { enabled: true, profile: '2.0' },
      dPoP: { enabled: true, nonceSecret: randomBytes(32) },
      pushedAuthorizationRequests: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://api.example/',
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: 'orders',
          audience: 'https://api.example/',
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  })
  const serve = provider.callback()
  return async (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return serve(request, response)
    const { prompt, params, session } = await provider.interactionDetails(request, response)
    if (prompt.name === 'login')
      return provider.interactionFinished(request, response, { login: { accountId: 'alice' } })
    const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params.client_id) })
    grant.addOIDCScope('openid offline_access')
    grant.addResourceScope('https://api.example/', 'orders')
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } })
  }
})
