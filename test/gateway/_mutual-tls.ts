import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ExecutionContext } from 'ava'
import type { Configuration } from 'oidc-provider'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import type { ClientAuthentication } from '../../src/gateway/authorities/authority-options.js'
import type { FrontendOptions } from '../../src/gateway/options.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { type Certificate, selfSigned } from '../http/_self-signed.js'
import { aRoute } from './_gateway.js'
import { aWorld, type World } from './_world.js'

const audience = 'https://orders.example.com'

/** Made once: of the servers, of the client, and one that the server does not know. */
export const [serverCertificate, clientCertificate, otherCertificate] = await Promise.all([
  selfSigned(),
  selfSigned(['app.example']),
  selfSigned(['app.example']),
])

export interface MutualTlsOptions {
  readonly authentication: 'private_key_jwt' | 'tls_client_auth' | 'self_signed_tls_client_auth'
  readonly constraint: 'dpop' | 'mtls'
  /** Of the gateway. Default: the one that is registered. */
  readonly certificate?: Certificate
  /** As it is registered. Default: that of the certificate. */
  readonly subject?: string
  readonly route?: Partial<RouteOptions>
  readonly frontend?: Partial<FrontendOptions>
}

export interface MutualTlsWorld extends World {
  /** Paths at which the authorization server was called over mutual TLS, with whether a certificate came. */
  readonly overTls: { readonly path: string; readonly withCertificate: boolean }[]
  /** What its API was called with. */
  readonly calls: {
    readonly authorization: string
    readonly proof: string | undefined
    readonly certificate: boolean
  }[]
}

/**
 * node-oidc-provider whose endpoints for mutual TLS are at a port of their own, and an API with our validator that takes what
 * is bound, by a proof or by a certificate.
 */
export async function aMutualTlsWorld(t: ExecutionContext, options: MutualTlsOptions): Promise<MutualTlsWorld> {
  const { authentication, constraint, certificate = clientCertificate, subject = 'CN=localhost' } = options
  const overTls: MutualTlsWorld['overTls'] = []
  const calls: MutualTlsWorld['calls'] = []
  let provide: RequestListener = (_request, response) => response.writeHead(503).end()
  let guarded: RequestListener = provide
  const [issuer, api] = await Promise.all([
    overMutualTls(t, (request, response) => {
      overTls.push({ path: request.url ?? '', withCertificate: peerOf(request.socket as TLSSocket) !== undefined })
      provide(request, response)
    }),
    overMutualTls(t, (request, response) => guarded(request, response)),
  ])
  const isBound = constraint === 'mtls'
  const world = await aWorld(t, {
    gateway: { issuerCa: serverCertificate.cert, issuerTimeout: 60 },
    provider: {
      dpopNonces: !isBound,
      configuration: providerConfiguration(issuer),
      clientMetadata: {
        token_endpoint_auth_method: authentication,
        ...(authentication !== 'private_key_jwt' && { token_endpoint_auth_signing_alg: undefined }),
        ...(authentication === 'tls_client_auth' && { tls_client_auth_subject_dn: subject }),
        ...(authentication === 'self_signed_tls_client_auth' && { jwks: { keys: [keyOf(clientCertificate)] } }),
        dpop_bound_access_tokens: !isBound,
        tls_client_certificate_bound_access_tokens: isBound,
      },
    },
    frontend: {
      ...(authentication !== 'private_key_jwt' && {
        clientAuthentication: { method: authentication } as ClientAuthentication,
      }),
      clientCertificate: certificate,
      dpop: !isBound,
      certificateBoundAccessTokens: isBound,
      routes: [
        aRoute({
          upstreams: [new URL(api)],
          resource: audience,
          ...options.route,
          tls: { ca: serverCertificate.cert, ...options.route?.tls },
        }),
      ],
      ...options.frontend,
    },
  })
  provide = world.provider.instance().callback()
  const guard = protect(createVerifier({ issuer: world.provider.issuer, audience, publicUrl: api, mode: 'any-bound' }))
  guarded = async (request, response) => {
    const { authorization = '', dpop } = request.headers
    calls.push({
      authorization,
      proof: dpop as string | undefined,
      certificate: peerOf(request.socket as TLSSocket) !== undefined,
    })
    const auth = await guard(request, response)
    if (auth !== undefined) response.end(JSON.stringify({ sub: auth.subject, cnf: auth.claims.cnf }))
  }
  return Object.assign(world, { overTls, calls })
}

async function overMutualTls(t: ExecutionContext, listener: RequestListener): Promise<string> {
  const server = createServer(
    { ...serverCertificate, requestCert: true, rejectUnauthorized: false, ca: clientCertificate.cert },
    listener,
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function peerOf(socket: TLSSocket): string | undefined {
  return socket.getPeerX509Certificate?.()?.toString()
}

function providerConfiguration(mutualTls: string): Configuration {
  return {
    clientAuthMethods: ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
    discovery: {
      mtls_endpoint_aliases: {
        token_endpoint: `${mutualTls}/token`,
        pushed_authorization_request_endpoint: `${mutualTls}/request`,
        revocation_endpoint: `${mutualTls}/token/revocation`,
        userinfo_endpoint: `${mutualTls}/me`,
      },
    },
    features: {
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        selfSignedTlsClientAuth: true,
        getCertificate: ({ req }) => peerOf(req.socket as TLSSocket),
        certificateAuthorized: ({ req }) => (req.socket as TLSSocket).authorized,
        certificateSubjectMatches: ({ req }, property, expected) =>
          property === 'tls_client_auth_subject_dn' &&
          (req.socket as TLSSocket).getPeerX509Certificate()?.subject === expected,
      },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'PS256' } },
        }),
      },
    },
  }
}

function keyOf({ cert }: Certificate) {
  const { publicKey, raw } = new X509Certificate(cert)
  return { ...publicKey.export({ format: 'jwk' }), x5c: [raw.toString('base64')] }
}
