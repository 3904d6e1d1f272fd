import { randomBytes } from 'node:crypto'
import { createGateway, type Gateway } from '../../../src/gateway/gateway.js'
import { signingKey } from '../../../src/jose/jwk.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { byKeys } from '../_client-security.js'
import { listenPlainly } from '../_https.js'
import type { ClientRegistration, ClientUnderTest } from './_client-under-test.js'

/** Our gateway with one frontend for the server and one route to its accounts endpoint. */
export async function startGateway(registration: ClientRegistration): Promise<ClientUnderTest> {
  const { issuer, issuerCa, clientId, key, certificate, security = byKeys, scope, signing, accountsUrl } = registration
  const keys = [signingKey({ ...key.privateJwk })]
  const isBound = security.constraint === 'mtls'
  const store = createMemoryStore()
  let gateway: Gateway | undefined
  const { origin, close } = await listenPlainly(async (publicUrl) => {
    gateway = await createGateway({
      store,
      seal: createSeal([randomBytes(32)]),
      ...(issuerCa !== undefined && { issuerCa }),
      frontends: [
        {
          name: 'suite',
          hosts: [],
          pathPrefix: '',
          publicUrl: new URL(publicUrl),
          authority: issuer,
          clientId,
          // A client that is known by its certificate has a key for its request objects alone.
          clientAuthentication:
            security.authentication === 'private_key_jwt'
              ? { method: 'private_key_jwt', keys }
              : { method: 'tls_client_auth', ...(signing.requests !== 'unsigned' && { keys }) },
          ...(certificate !== undefined && { clientCertificate: certificate }),
          ...(isBound && { certificateBoundAccessTokens: true }),
          pushedAuthorizationRequests: true,
          dpop: !isBound,
          signedRequests: signing.requests !== 'unsigned',
          responseMode: signing.responses === 'jarm' ? 'jwt' : 'query',
          requireIssuer: true,
          scopes: scope.split(' '),
          session: { idle: 600, absolute: 600, sliding: false, refreshGracePeriod: 30 },
          postLoginRedirectPath: '/',
          postLogoutRedirectPath: '/',
          routes: [
            {
              path: '/accounts',
              stripPath: true,
              upstreams: [new URL(accountsUrl)],
              methods: [],
              tokenType: 'User',
              scopes: [],
              ...(isBound && issuerCa !== undefined && { tls: { ca: issuerCa } }),
            },
          ],
        },
      ],
    })
    return gateway.callback()
  })
  return {
    redirectUri: `${origin}/bff/callback`,
    loginUrl: `${origin}/bff/login`,
    accountsUrl: `${origin}/accounts`,
    async close() {
      await close()
      await gateway?.close()
      await store.close()
    },
  }
}
