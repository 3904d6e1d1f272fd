import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { importJWK } from 'jose'
import * as oidc from 'openid-client'
import { Agent, fetch as fetchBy } from 'undici'
import { byKeys } from '../_client-security.js'
import { listenPlainly } from '../_https.js'
import type { ClientRegistration, ClientUnderTest } from './_client-under-test.js'

interface Transaction {
  readonly state: string
  readonly nonce: string | undefined
  readonly verifier: string
}

/**
 * The smallest application that can pass the client plan, written with openid-client alone: the other client that the
 * modules are tried on, so that a wrong module shows.
 */
export async function startOpenidClient(registration: ClientRegistration): Promise<ClientUnderTest> {
  const { issuer, clientId, key, certificate, security = byKeys, scope, signing, accountsUrl } = registration
  const isBound = security.constraint === 'mtls'
  // With a certificate, and trust in every server's.
  const dispatcher = certificate && new Agent({ connect: { ...certificate, rejectUnauthorized: false } })
  const fetchWithCertificate = ((url: string, init: object) =>
    fetchBy(url, { ...init, ...(dispatcher && { dispatcher }) })) as oidc.CustomFetch
  const proven = (config: oidc.Configuration) => (isBound ? {} : { DPoP: oidc.getDPoPHandle(config, dpopKeys) })
  const openid = scope.split(' ').includes('openid')
  const dpopKeys = await oidc.randomDPoPKeyPair('ES256')
  const transactions = new Map<string, Transaction>()
  const signedIn = new Map<
    string,
    { readonly accessToken: string; readonly proven: { readonly DPoP?: oidc.DPoPHandle } }
  >()
  let configuration: oidc.Configuration | undefined
  let redirectUri = ''

  async function signingKey(): Promise<oidc.PrivateKey> {
    const privateKey = await importJWK(key.privateJwk, key.algorithm)
    if (privateKey instanceof Uint8Array) throw new TypeError('is not a private key')
    return { key: privateKey, kid: key.kid }
  }

  async function configured(): Promise<oidc.Configuration> {
    if (configuration !== undefined) return configuration
    const authentication =
      security.authentication === 'mtls' ? oidc.TlsClientAuth() : oidc.PrivateKeyJwt(await signingKey())
    const metadata = { use_mtls_endpoint_aliases: certificate !== undefined }
    configuration = await oidc.discovery(new URL(issuer), clientId, metadata, authentication, {
      execute: [oidc.allowInsecureRequests],
      ...(certificate !== undefined && { [oidc.customFetch]: fetchWithCertificate }),
    })
    configuration.timeout = 5
    if (signing.responses === 'jarm') oidc.useJwtResponseMode(configuration)
    return configuration
  }

  async function serve(request: IncomingMessage, response: ServerResponse, origin: string): Promise<void> {
    const url = new URL(request.url ?? '/', origin)
    const session = /session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
    if (url.pathname === '/login') {
      const config = await configured()
      const id = randomUUID()
      const transaction = {
        state: oidc.randomState(),
        nonce: openid ? oidc.randomNonce() : undefined,
        verifier: oidc.randomPKCECodeVerifier(),
      }
      transactions.set(id, transaction)
      const asked = {
        redirect_uri: redirectUri,
        scope,
        state: transaction.state,
        ...(transaction.nonce !== undefined && { nonce: transaction.nonce }),
        code_challenge: await oidc.calculatePKCECodeChallenge(transaction.verifier),
        code_challenge_method: 'S256',
      }
      const pushed =
        signing.requests === 'unsigned'
          ? asked
          : (await oidc.buildAuthorizationUrlWithJAR(config, asked, await signingKey())).searchParams
      const to = await oidc.buildAuthorizationUrlWithPAR(config, pushed, proven(config))
      response.writeHead(303, { location: to.href, 'set-cookie': `session=${id}; Path=/; HttpOnly` }).end()
      return
    }
    if (url.pathname === '/callback') {
      const transaction = transactions.get(session)
      if (transaction === undefined) throw new Error('no login in this browser')
      transactions.delete(session)
      const config = await configured()
      const dpop = proven(config)
      const tokens = await oidc.authorizationCodeGrant(
        config,
        url,
        {
          expectedState: transaction.state,
          pkceCodeVerifier: transaction.verifier,
          idTokenExpected: openid,
          ...(transaction.nonce !== undefined && { expectedNonce: transaction.nonce }),
        },
        undefined,
        dpop,
      )
      signedIn.set(session, { accessToken: tokens.access_token, proven: dpop })
      response.writeHead(200).end('signed in')
      return
    }
    const user = signedIn.get(session)
    if (user === undefined) {
      response.writeHead(401).end()
      return
    }
    const config = await configured()
    const answer = await oidc.fetchProtectedResource(
      config,
      user.accessToken,
      new URL(accountsUrl),
      'GET',
      undefined,
      undefined,
      user.proven,
    )
    response.writeHead(answer.status).end(await answer.text())
  }

  const { origin, close } = await listenPlainly((base) => (request, response) => {
    serve(request, response, base).catch(() => response.writeHead(400).end())
  })
  redirectUri = `${origin}/callback`
  return {
    redirectUri,
    loginUrl: `${origin}/login`,
    accountsUrl: `${origin}/accounts`,
    async close() {
      await close()
      await dispatcher?.destroy()
    },
  }
}
