import Provider from 'oidc-provider'
import { generateSigningJwk } from '../src/jose/jwk.js'

/** A foreign authorization server for those that cannot use ours: JWT access tokens, a secret, no DPoP. */
const { PORT, REDIRECT_URIS = '' } = process.env
const provider = new Provider(`http://localhost:${PORT}`, {
  clients: [
    {
      client_id: 'peer',
      client_secret: 'peer-secret-peer-secret-peer-secret',
      redirect_uris: REDIRECT_URIS.split(' '),
      token_endpoint_auth_method: 'client_secret_post',
      id_token_signed_response_alg: 'ES256',
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
  jwks: { keys: [generateSigningJwk('ES256')] },
  pkce: { required: () => false },
  ttl: { AccessToken: 7200, Session: 7200, Grant: 7200, IdToken: 7200 },
  features: {
    // Its tokens are for the API, and nobody here asks it for claims.
    userinfo: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => 'https://api.example',
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: 'api',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 7200,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, name: 'Alice Liddell' }) }),
})
provider.listen(Number(PORT), '127.0.0.1')
