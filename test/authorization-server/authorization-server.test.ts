import { once } from 'node:events'
import { createServer } from 'node:http'
import test from 'ava'
import Koa from 'koa'
import { createAuthorizationServer } from '../../src/authorization-server/authorization-server.js'
import { ConfigurationError, UpstreamError } from '../../src/errors.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import type { Store } from '../../src/store/store.js'
import { aBrowser } from './_browser.js'
import { aProtocolClient } from './_client.js'
import { aClient, startServer } from './_running.js'

test('metadata is the same in both documents, and below and before the path of the issuer (RFC 8414 §3.1)', async (t) => {
  const server = await startServer({ path: '/auth/main' })
  t.teardown(() => server.stop())
  const read = async (path: string): Promise<unknown> => (await fetch(`${server.url}${path}`)).json()
  const document = await read('/auth/main/.well-known/openid-configuration')
  t.deepEqual(await read('/auth/main/.well-known/oauth-authorization-server'), document)
  t.deepEqual(await read('/.well-known/oauth-authorization-server/auth/main'), document)
  t.like(document, {
    issuer: `${server.url}/auth/main`,
    token_endpoint: `${server.url}/auth/main/connect/token`,
    require_pushed_authorization_requests: true,
    authorization_response_iss_parameter_supported: true,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    response_types_supported: ['code'],
    id_token_signing_alg_values_supported: ['ES256'],
  })
  t.is((await fetch(`${server.url}/connect/token`, { method: 'POST' })).status, 404)
})

test('a server with a path walks the whole way', async (t) => {
  const server = await startServer({ path: '/auth' })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const { access_token } = await client.tokens()
  t.is((await client.userinfo(access_token)).status, 200)
})

test('mounts into a Koa app and leaves the rest of it alone', async (t) => {
  const http = createServer().listen(0, '127.0.0.1')
  t.teardown(() => http.close().closeAllConnections())
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') return t.fail()
  const url = `http://127.0.0.1:${address.port}`
  const template = await startServer()
  await template.stop()
  const server = await createAuthorizationServer({ ...template.options, issuer: new URL(`${url}/as`) })
  t.teardown(() => server.close())
  const app = new Koa()
  app.use(server.middleware())
  app.use((ctx) => {
    ctx.body = 'mine'
  })
  http.on('request', app.callback())
  t.is(await (await fetch(`${url}/connect/token`)).text(), 'mine')
  t.like(await (await fetch(`${url}/as/.well-known/openid-configuration`)).json(), { issuer: `${url}/as` })
  t.is((await fetch(`${url}/as/connect/token`)).status, 405)
})

test('publishes public keys only, each with kid and alg', async (t) => {
  const server = await startServer({ signingKeys: { algorithms: ['ES256', 'PS256', 'Ed25519'] } })
  t.teardown(() => server.stop())
  const { keys } = (await (await fetch(`${server.url}/connect/jwks`)).json()) as { keys: Record<string, string>[] }
  // The name that the headers and the metadata have.
  t.deepEqual(keys.map(({ alg }) => alg).sort(), ['ES256', 'EdDSA', 'PS256'])
  t.is(new Set(keys.map(({ kid }) => kid)).size, 3)
  for (const key of keys) for (const secret of ['d', 'p', 'q', 'k']) t.false(secret in key)
})

test('signs ID tokens as the client is registered', async (t) => {
  for (const algorithm of ['PS256', 'Ed25519'] as const) {
    const server = await startServer({
      signingKeys: { algorithms: ['ES256', algorithm] },
      client: aClient('client-1', { idTokenAlgorithm: algorithm }),
    })
    const { id_token = '', access_token } = await aProtocolClient(server).tokens()
    const alg = (token: string): unknown =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).alg
    t.is(alg(id_token), algorithm === 'Ed25519' ? 'EdDSA' : algorithm)
    t.is(alg(access_token), 'ES256')
    await server.stop()
  }
})

test('sends HSTS with every answer when the issuer is https, and never for this machine (FAPI 2.0 §5.2.3-1)', async (t) => {
  const plain = await startServer()
  const secure = await startServer({ issuer: new URL('https://as.example') })
  const local = await startServer({ issuer: new URL('https://localhost:3001') })
  t.teardown(() => Promise.all([plain.stop(), secure.stop(), local.stop()]))
  for (const path of ['/connect/authorize', '/connect/jwks', '/connect/par', '/.well-known/openid-configuration']) {
    t.truthy((await fetch(secure.url + path)).headers.get('strict-transport-security'))
    for (const { url } of [plain, local]) t.is((await fetch(url + path)).headers.get('strict-transport-security'), null)
  }
})

/** A store that stops answering when told to. */
function aFailingStore(): { readonly store: Store; fail(): void } {
  let down = false
  const memory = createMemoryStore()
  const store = new Proxy(memory, {
    get(target, name: keyof Store) {
      if (name === 'signals') return undefined
      const operation = target[name]
      return async (...parameters: never[]) => {
        if (down) throw new UpstreamError('store_unavailable', 'no answer from redis://secret@host')
        return Reflect.apply(operation, target, parameters)
      }
    },
  })
  return {
    store,
    fail() {
      down = true
    },
  }
}

test('a store that does not answer is 503 everywhere, never an acceptance', async (t) => {
  const { store, fail } = aFailingStore()
  const server = await startServer({ store })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const { access_token, refresh_token = '' } = await client.tokens({}, { browser })
  const url = client.authorizationUrl(await client.push())
  const code = (await client.authorize({}, { browser })).searchParams.get('code') ?? ''
  fail()
  for (const answer of [
    await client.push(),
    await client.redeem(code),
    await client.refresh(refresh_token),
    await client.post('introspect', { token: access_token }),
    await client.post('revoke', { token: access_token }),
    await client.userinfo(access_token),
  ]) {
    t.is(answer.status, 503)
    t.is(answer.body.error, 'temporarily_unavailable')
    t.is(answer.headers.get('retry-after'), '5')
    t.notRegex(JSON.stringify(answer.body), /redis|secret/)
  }
  for (const page of [await browser.get(url), await browser.get(`${server.url}/connect/endsession`)]) {
    t.is(page.status, 503)
    t.regex(page.text, /cannot answer at the moment/)
    t.true(page.text.includes(`<dt>Request</dt><dd>${page.headers.get('x-request-id')}</dd>`))
    t.is(page.headers.getSetCookie().length, 0, 'and nobody is signed out')
  }
})

test('a directory that fails is 500 without a word about why', async (t) => {
  const server = await startServer({
    verifyUser: async () => {
      throw new Error('ldap://10.0.0.1 said: secret')
    },
  })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push()))
  const answer = await browser.submit(page, 'sign-in', { username: 'carol', password: 'x' })
  t.is(answer.status, 500)
  t.notRegex(answer.text, /ldap|secret/)
})

test('a body beyond the limit is refused, not read', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const response = await fetch(`${server.url}/connect/par`, {
    method: 'POST',
    body: new URLSearchParams({ scope: 'x'.repeat(20_000_000) }),
  })
  t.is(response.status, 400)
  t.like(await response.json(), { error: 'invalid_request' })
})

const refuses = test.macro({
  title: (title = '') => `is not made with ${title}`,
  async exec(t, change: () => Parameters<typeof startServer>[0], message: RegExp) {
    await t.throwsAsync(startServer(change()), { instanceOf: ConfigurationError, message })
  },
})
test('an http issuer', refuses, () => ({ issuer: new URL('http://as.example') }), /issuer/)
test('a query in the issuer', refuses, () => ({ issuer: new URL('https://as.example/?x=1') }), /issuer/)
test('codes of 61 seconds', refuses, () => ({ lifetimes: { code: 61 } }), /60 seconds/)
test('request_uris of 600 seconds', refuses, () => ({ lifetimes: { requestUri: 600 } }), /600 seconds/)
test('no time at all', refuses, () => ({ lifetimes: { accessToken: 0 } }), /accessToken/)
test(
  'an http redirect URI',
  refuses,
  () => ({ client: aClient('c', { redirectUris: ['http://client.example/cb'] }) }),
  /https/,
)
test(
  'a redirect URI with a fragment',
  refuses,
  () => ({ client: aClient('c', { redirectUris: ['https://client.example/cb#x'] }) }),
  /fragment/,
)
test(
  'a javascript redirect URI',
  refuses,
  () => ({ client: aClient('c', { redirectUris: ['javascript:alert(1)'] }) }),
  /https/,
)
test(
  'an http back-channel URI',
  refuses,
  () => ({ client: aClient('c', { backchannelLogoutUri: 'http://client.example/' }) }),
  /https/,
)
test('a client without keys', refuses, () => ({ client: aClient('c', { keys: [] }) }), /no key/)
test('one client twice', refuses, () => ({ client: aClient('c'), other: aClient('c') }), /twice/)
test('a user who is a client', refuses, () => ({ client: aClient('user-bob') }), /clientId/)
test('a password in clear', refuses, () => ({ users: [{ username: 'x', passwordHash: 'secret' }] }), /passwordHash/)
test('one scope twice', refuses, () => ({ scopes: [{ name: 'orders' }, { name: 'orders' }] }), /twice/)
test(
  'keys that sign before replicas know them',
  refuses,
  () => ({ signingKeys: { publishBefore: 60 } }),
  /publishBefore/,
)
test('keys published longer than they sign', refuses, () => ({ signingKeys: { lifetime: 3600 } }), /lifetime/)
