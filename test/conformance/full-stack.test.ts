import { randomBytes } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { createGateway, type Gateway } from '../../src/gateway/gateway.js'
import type { RouteOptions } from '../../src/gateway/route-options.js'
import { tlsPreset } from '../../src/http/tls.js'
import { signingKey } from '../../src/jose/jwk.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import { type ClientHello, listenForHellos } from './_client-hello.js'
import { createSender } from './_http.js'
import { listenSecurely, trustedCertificates } from './_https.js'
import { generateKey, type KeyPair } from './_jose.js'
import { nothingSigned } from './_message-signing.js'
import { signIn } from './_sign-in.js'
import { createUserAgent } from './_user-agent.js'
import { startSallyport } from './authorization-server/_sallyport.js'
import type { ServerUnderTest } from './authorization-server/_server-under-test.js'
import { checkTls } from './authorization-server/_tls.js'

const issuerCa = trustedCertificates.join('')
const user = { name: 'alice', password: 'wonderland' }

async function startGateway(
  key: KeyPair,
  issuerOf: (publicUrl: string) => Promise<string>,
  routesOf: () => readonly RouteOptions[],
) {
  const store = createMemoryStore()
  let gateway: Gateway | undefined
  const { origin, close } = await listenSecurely(tlsPreset, async (publicUrl) => {
    const authority = await issuerOf(publicUrl)
    gateway = await createGateway({
      store,
      seal: createSeal([randomBytes(32)]),
      issuerCa,
      frontends: [
        {
          name: 'app',
          hosts: [],
          pathPrefix: '',
          publicUrl: new URL(publicUrl),
          authority,
          clientId: 'my-bff',
          clientAuthentication: { method: 'private_key_jwt', keys: [signingKey({ ...key.privateJwk })] },
          pushedAuthorizationRequests: true,
          dpop: true,
          requireIssuer: true,
          scopes: ['openid', 'offline_access', 'accounts'],
          session: { idle: 600, absolute: 600, sliding: false, refreshGracePeriod: 30 },
          postLoginRedirectPath: '/',
          postLogoutRedirectPath: '/',
          routes: routesOf(),
        },
      ],
    })
    return gateway.callback()
  })
  return {
    origin,
    async close() {
      await close()
      await gateway?.close()
      await store.close()
    },
  }
}

const route = (path: string, upstream: string, tokenType: RouteOptions['tokenType']): RouteOptions => ({
  path,
  stripPath: true,
  upstreams: [new URL(upstream)],
  methods: [],
  tokenType,
  scopes: [],
  tls: { ca: issuerCa },
})

const ownPage = ['accept', 'application/json', 'x-csrf', '1', 'sec-fetch-site', 'same-origin', 'sec-fetch-mode', 'cors']

test('gateway, authorization server and API: signed in and served over TLS all the way', async (t) => {
  const { send, close } = createSender()
  const clientKey = await generateKey('ES256')
  let server: ServerUnderTest | undefined
  const gateway = await startGateway(
    clientKey,
    async (publicUrl) => {
      server = await startSallyport({
        user,
        signing: nothingSigned,
        clients: [
          {
            id: 'my-bff',
            publicJwk: clientKey.publicJwk,
            redirectUris: [`${publicUrl}/bff/callback`],
            scope: 'openid offline_access accounts',
          },
        ],
      })
      return server.issuer
    },
    () => [route('/accounts', server?.resourceUrl ?? '', 'User')],
  )
  try {
    const userAgent = createUserAgent({ send, leaves: () => false })
    const arrival = await signIn(userAgent, await userAgent.open(`${gateway.origin}/bff/login`), 'allow', user)
    t.is(arrival.url.href, `${gateway.origin}/`)
    const who = (await userAgent.send(`${gateway.origin}/bff/user`, { headers: ownPage })).json()
    t.is(who.authenticated, true)
    const accounts = await userAgent.send(`${gateway.origin}/accounts`, { headers: ownPage })
    t.is(accounts.status, 200, accounts.body)
    t.deepEqual(accounts.json(), { accounts: [] })
    await checkTls(t, gateway.origin)
    await checkTls(t, server?.issuer ?? '')
    const out = await userAgent.send(`${gateway.origin}/bff/logout`, { method: 'POST', headers: ownPage })
    t.true(out.status < 400, out.body)
    t.is((await userAgent.send(`${gateway.origin}/accounts`, { headers: ownPage })).status, 401)
  } finally {
    await gateway.close()
    await server?.close()
    await close()
  }
})

test('as TLS clients gateway and validator offer what FAPI 2.0 §5.2.2 recommends, and nothing else', async (t) => {
  const { send, close } = createSender()
  const issuer = await listenForHellos()
  const upstream = await listenForHellos()
  const gateway = await startGateway(
    await generateKey('ES256'),
    async () => issuer.origin,
    () => [route('/public', upstream.origin, 'None')],
  )
  try {
    await send(`${gateway.origin}/bff/login`)
    t.true(issuer.hellos.length > 0, 'the gateway asks the authorization server')
    const asked = issuer.hellos.length
    await t.throwsAsync(
      createVerifier({
        issuer: issuer.origin,
        audience: 'https://api.example',
        publicUrl: 'https://api.example',
      }).ready(),
    )
    t.true(issuer.hellos.length > asked, 'the validator asks the authorization server')
    await send(`${gateway.origin}/public`, { headers: ownPage })
    t.true(upstream.hellos.length > 0, 'the gateway asks the API')
    for (const hello of [...issuer.hellos, ...upstream.hellos]) offersOnlyRecommended(t, hello)
  } finally {
    await gateway.close()
    await issuer.close()
    await upstream.close()
    await close()
  }
})

/** TLS_AES_* of TLS 1.3, the four ECDHE suites with AES-GCM, and the renegotiation signal that is no suite. */
const recommended = [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0x00ff]

function offersOnlyRecommended(t: ExecutionContext, { suites, versions }: ClientHello): void {
  t.true(suites.length >= 5, 'a ClientHello with suites')
  t.deepEqual(
    suites.filter((suite) => !recommended.includes(suite)).map((suite) => suite.toString(16)),
    [],
  )
  t.deepEqual([...versions].sort(), [0x0303, 0x0304])
}
