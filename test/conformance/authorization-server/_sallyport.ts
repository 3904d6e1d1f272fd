import { randomBytes, X509Certificate } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { globalAgent } from 'node:https'
import Koa from 'koa'
import { createAuthorizationServer } from '../../../src/authorization-server/authorization-server.js'
import type { CertificateAuthentication } from '../../../src/authorization-server/client/certificate-options.js'
import { parsePermissions } from '../../../src/authorization-server/client/permissions.js'
import { hashPassword } from '../../../src/authorization-server/sign-in/password.js'
import { protect } from '../../../src/dpop-validator/adapters/koa.js'
import { createVerifier } from '../../../src/dpop-validator/dpop-validator.js'
import { tlsPreset } from '../../../src/http/tls.js'
import { certificateJwk } from '../../../src/jose/certificate.js'
import { generateSigningJwk, publicHalf, verificationKey } from '../../../src/jose/jwk.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { byKeys, usesMutualTls } from '../_client-security.js'
import { listenSecurely, trustedCertificates } from '../_https.js'
import { permissionsOf } from '../_suite-configuration.js'
import type { Registration, ServerUnderTest, StartServer } from './_server-under-test.js'

/** The same, with an API that wants proofs with a nonce. */
export const startDemandingNonces: StartServer = (registration) => startSallyport(registration, 'demanded')

// The validator fetches metadata and keys by HTTPS, as it does from any other server.
globalAgent.options.ca = trustedCertificates

/** Whether the API wants proofs with a nonce. The authorization server always does. */
export type ResourceNonces = 'demanded' | 'none'

/** Our authorization server and an API behind our validator, on one HTTPS listener. */
export async function startSallyport(
  { clients, user, signing, security = byKeys, authority }: Registration,
  resourceNonces: ResourceNonces = 'none',
): Promise<ServerUnderTest> {
  let offset = 0
  const now = (): number => Date.now() / 1000 + offset
  const store = createMemoryStore({ now })
  const resourceServerKey = generateSigningJwk('ES256')
  let stop = async (): Promise<void> => {}
  let ready = async (): Promise<void> => {}
  let answerMutualTls: RequestListener | undefined
  // Where clients are asked for a certificate: the endpoints that they call themselves, and the API.
  const asking = usesMutualTls(security)
    ? await listenSecurely(
        { ...tlsPreset, requestCert: true, rejectUnauthorized: false, ca: authority ?? [] },
        () => (request, response) => answerMutualTls?.(request, response),
      )
    : undefined
  const isBound = security.constraint === 'mtls'
  const { origin, close } = await listenSecurely(tlsPreset, async (issuer) => {
    const server = await createAuthorizationServer({
      issuer: new URL(issuer),
      store,
      seal: createSeal([randomBytes(32)]),
      now,
      ...(asking !== undefined && {
        mutualTls: { certificatesFrom: 'handshake', origin: new URL(asking.origin) },
      }),
      requireSignedRequests: signing.requests !== 'unsigned',
      requireSignedResponses: signing.responses === 'jarm',
      // An RSA key takes its time: made only where the clients use RSA as well.
      ...(clients[0]?.publicJwk.alg !== 'PS256' && { signingKeys: { algorithms: ['ES256'] } }),
      users: [
        {
          username: user.name,
          // Cheap: what a guess costs is not the subject here.
          passwordHash: await hashPassword(user.password, { ln: 4, p: 1 }),
          claims: { sub: 'user-1', name: 'Alice Liddell', email: 'alice@example.com' },
        },
      ],
      clients: [
        ...clients.map(({ id, publicJwk, redirectUris, scope, certificate = '' }) => ({
          clientId: id,
          displayName: id,
          keys: [verificationKey({ ...publicJwk })],
          ...(security.authentication === 'mtls' && {
            certificateAuthentication: authenticationOf(id, certificate),
          }),
          ...(isBound && { certificateBoundAccessTokens: true }),
          redirectUris,
          permissions: parsePermissions(permissionsOf(scope)).permissions,
        })),
        {
          clientId: 'resource-server',
          keys: [verificationKey(publicHalf(resourceServerKey))],
          redirectUris: [],
          permissions: parsePermissions(['ept:introspection']).permissions,
          audiences: [issuer],
        },
      ],
    })
    stop = server.close
    const verifier = createVerifier({
      issuer: {
        issuer,
        // FAPI 2.0 §5.3.4-3: revoked tokens too, and at once.
        introspection: { clientId: 'resource-server', signingKey: resourceServerKey, tokens: 'all', cache: 0 },
      },
      audience: issuer,
      publicUrl: isBound ? (asking?.origin ?? '') : issuer,
      ...(isBound && { mode: 'any-bound' }),
      nonce: resourceNonces === 'demanded',
      // Client, server and API share this process: a key that is being generated keeps the others waiting.
      jwks: { timeout: 30 },
      now,
    })
    ready = verifier.ready
    const guard = protect(verifier)
    const api = new Koa()
    api.use((ctx, next) => (ctx.path === '/accounts' ? guard(ctx, next) : ctx.throw(404)))
    api.use((ctx) => {
      ctx.body = { accounts: [] }
    })
    const [answer, answerClients, answerApi] = [server.callback(), server.mutualTlsCallback(), api.callback()]
    const beside =
      (other: RequestListener): RequestListener =>
      (request, response) =>
        request.url?.startsWith('/accounts') ? answerApi(request, response) : other(request, response)
    answerMutualTls = beside(answerClients)
    return beside(answer)
  })
  const stopAll = async (): Promise<void> => {
    await Promise.all([close(), asking?.close()])
    await stop()
    await store.close()
  }
  await ready().catch(async (error: unknown) => {
    await stopAll()
    throw error
  })
  return {
    issuer: origin,
    resourceUrl: `${isBound ? asking?.origin : origin}/accounts`,
    now: () => Math.floor(now()),
    advance(seconds) {
      offset += seconds
    },
    close: stopAll,
  }
}

/** Client 1 by its subject, client 2 by its key. */
function authenticationOf(id: string, certificate: string): CertificateAuthentication {
  return id === 'client-1'
    ? { method: 'tls_client_auth', subject: { name: 'tls_client_auth_subject_dn', value: 'CN=client-1' } }
    : { method: 'self_signed_tls_client_auth', jwks: [certificateJwk(new X509Certificate(certificate))] }
}
