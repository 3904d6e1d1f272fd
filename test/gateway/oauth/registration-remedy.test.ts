import test from 'ava'
import { type Registration, remedyFor } from '../../../src/gateway/oauth/registration-remedy.js'

const registration: Registration = {
  clientId: 'my-bff',
  redirectUri: 'https://app.example.com/bff/callback',
  scopes: ['openid', 'orders'],
  resources: ['https://orders.example.com'],
  algorithm: 'ES256',
}

const key = /^Register the public key of ClientSigningKeyJwk for client my-bff/
const client = /^Is there a client my-bff at this server\?/
const algorithm = /^Allow client my-bff the algorithm ES256 there/
const redirectUri =
  /^Register exactly this redirect URI for client my-bff there: https:\/\/app\.example\.com\/bff\/callback$/
const scopes = /^Allow client my-bff these scopes there, or ask for fewer: openid orders\.$/

/** As these servers say it. */
for (const [server, code, description, remedy] of [
  [
    'Keycloak',
    'invalid_client',
    'Client authentication with signed JWT failed: Signature on JWT token failed validation',
    key,
  ],
  ['Keycloak', 'invalid_client', 'Unable to load public key', key],
  [
    'Keycloak',
    'invalid_client',
    'Client authentication with client secret failed: Client secret not provided in request',
    /private_key_jwt \(a signed JWT\) instead of a secret/,
  ],
  ['Keycloak', 'invalid_client', 'Invalid client or Invalid client credentials', client],
  [
    'Keycloak',
    'invalid_client',
    'Client authentication with signed JWT failed: Invalid signature algorithm',
    algorithm,
  ],
  [
    'Keycloak',
    'invalid_client',
    'Client authentication with signed JWT failed: Token is not active',
    /^Register client my-bff/,
  ],
  ['Keycloak', 'invalid_request', 'Invalid parameter: redirect_uri', redirectUri],
  ['Keycloak', 'invalid_scope', 'Invalid scopes: openid orders', scopes],
  [
    'Keycloak',
    'unauthorized_client',
    'Client is not allowed to initiate browser login with given response_type. Standard flow is disabled for the client.',
    /standard flow/,
  ],
  ['Spring', 'invalid_client', 'Client authentication failed: client_id', client],
  ['Spring', 'invalid_client', 'Client authentication failed: client_assertion', /does not say which/],
  ['Spring', 'invalid_request', 'OAuth 2.0 Parameter: redirect_uri', redirectUri],
  ['Spring', 'invalid_scope', 'OAuth 2.0 Parameter: scope', scopes],
  ['node-oidc-provider', 'invalid_client', 'client authentication failed', /does not say which/],
  [
    'node-oidc-provider',
    'invalid_redirect_uri',
    "redirect_uri did not match any of the client's registered redirect_uris",
    redirectUri,
  ],
  [
    'node-oidc-provider',
    'invalid_target',
    'resource indicator is missing, or unknown',
    /https:\/\/orders\.example\.com/,
  ],
  ['ours', 'invalid_client', 'the client assertion is not of a known client', client],
  ['ours', 'invalid_client', 'the signature of the client assertion does not hold', key],
  ['ours', 'invalid_client', 'the assertion has expired', /clocks/],
  [
    'ours',
    'invalid_client',
    'the aud of the assertion is not the issuer identifier as a string',
    /issuer identifier as the audience/,
  ],
  ['ours', 'invalid_request', 'redirect_uri is not registered for the client', redirectUri],
  ['ours', 'invalid_scope', 'the client may not have one of the scopes', scopes],
  [
    'a server that says nothing',
    'invalid_request',
    undefined,
    /^Compare the registration of client my-bff there with: private_key_jwt, ES256, redirect URI/,
  ],
  ['a server without words', undefined, undefined, /^Compare the registration/],
  [
    'a server that wants JAR',
    'invalid_request',
    "Missing parameter: 'request' or 'request_uri'",
    /signed request objects/,
  ],
] as const)
  test(`${server}: ${code}, "${description}"`, (t) => {
    t.regex(remedyFor({ code, description }, registration), remedy)
  })

test('a client with a secret is told about its secret', (t) => {
  for (const secretMethod of ['client_secret_post', 'client_secret_basic'] as const) {
    const withSecret = { ...registration, algorithm: undefined, secretMethod }
    for (const code of ['invalid_client', undefined])
      t.true(remedyFor({ code, description: undefined }, withSecret).includes(secretMethod))
  }
})
