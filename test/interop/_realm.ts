import { type Keycloak, realm } from './_keycloak.js'

/** What the walk needs of a realm: the FAPI 2.0 policy with DPoP for every client, one client and one user. */
export function realmFor(gateway: string): object {
  return {
    realm,
    enabled: true,
    sslRequired: 'all',
    // The gateway refreshes in the last 60 seconds.
    accessTokenLifespan: 70,
    eventsEnabled: true,
    users: [
      {
        username: 'alice',
        enabled: true,
        emailVerified: true,
        firstName: 'Alice',
        lastName: 'Liddell',
        email: 'alice@example.com',
        credentials: [{ type: 'password', value: 'wonderland', temporary: false }],
      },
    ],
    clients: [
      {
        clientId: 'shop',
        enabled: true,
        publicClient: false,
        standardFlowEnabled: true,
        redirectUris: [`${gateway}/bff/callback`],
        clientAuthenticatorType: 'client-jwt',
        attributes: {
          'token.endpoint.auth.signing.alg': 'ES256',
          'use.jwks.url': 'true',
          'jwks.url': `${gateway}/bff/jwks`,
          'id.token.signed.response.alg': 'ES256',
          'access.token.signed.response.alg': 'ES256',
          'require.pushed.authorization.requests': 'true',
          'dpop.bound.access.tokens': 'true',
          'pkce.code.challenge.method': 'S256',
          'backchannel.logout.url': `${gateway}/bff/backchannel-logout`,
          'backchannel.logout.session.required': 'true',
          'post.logout.redirect.uris': `${gateway}/`,
        },
      },
    ],
    clientPolicies: {
      policies: [
        {
          name: 'FAPI 2.0 with DPoP',
          enabled: true,
          conditions: [{ condition: 'client-access-type', configuration: { type: ['confidential'] } }],
          profiles: ['fapi-2-dpop-security-profile'],
        },
      ],
    },
  }
}

/** The client may ask for `orders`, and then its token is for the API. Keycloak's own scopes are there by then. */
export async function addApi({ admin }: Keycloak, audience: string): Promise<void> {
  await admin('POST', '/client-scopes', {
    name: 'orders',
    protocol: 'openid-connect',
    attributes: { 'include.in.token.scope': 'true' },
    protocolMappers: [
      {
        name: 'the API',
        protocol: 'openid-connect',
        protocolMapper: 'oidc-audience-mapper',
        config: { 'included.custom.audience': audience, 'access.token.claim': 'true' },
      },
    ],
  })
  const scopes = (await admin('GET', '/client-scopes')) as readonly { readonly id: string; readonly name: string }[]
  const clients = (await admin('GET', '/clients?clientId=shop')) as readonly { readonly id: string }[]
  const orders = scopes.find(({ name }) => name === 'orders')
  await admin('PUT', `/clients/${clients[0]?.id}/optional-client-scopes/${orders?.id}`)
}
