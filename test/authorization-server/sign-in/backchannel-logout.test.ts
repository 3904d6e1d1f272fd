import { once } from 'node:events'
import { createServer } from 'node:http'
import test from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createBackchannelLogout } from '../../../src/authorization-server/sign-in/backchannel-logout.js'
import { createStoreKeySource } from '../../../src/authorization-server/tokens/key-source.js'
import { createSigningKeys } from '../../../src/authorization-server/tokens/signing-keys.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { aBrowser } from '../_browser.js'
import { aProtocolClient, claimsOf } from '../_client.js'
import { aClient, startServer } from '../_running.js'

/** A client's back-channel endpoint that answers with these statuses, one after the other. */
async function aReceiver(...statuses: readonly number[]) {
  const tokens: string[] = []
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.writeHead(statuses[tokens.length] ?? 200).end()
    tokens.push(new URLSearchParams(body).get('logout_token') ?? '')
    http.emit('token')
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    uri: `http://127.0.0.1:${address.port}/backchannel`,
    tokens,
    async received(count: number) {
      while (tokens.length < count) await once(http, 'token')
    },
    stop() {
      http.close()
      http.closeAllConnections()
    },
  }
}

test('every client of a session hears of its end (OpenID Connect Back-Channel Logout §2.4)', async (t) => {
  const [first, second] = [await aReceiver(200), await aReceiver(204)]
  const server = await startServer({
    client: aClient('client-1', { backchannelLogoutUri: first.uri }),
    other: aClient('client-2', { backchannelLogoutUri: second.uri }),
  })
  t.teardown(() => Promise.all([server.stop(), first.stop(), second.stop()]))
  const browser = aBrowser()
  const { id_token = '' } = await aProtocolClient(server).tokens({}, { browser })
  await aProtocolClient(server, server.other).tokens({}, { browser })
  const { sub, ...claims } = claimsOf(id_token)
  const sid = String(claims.sid)
  await browser.get(`${server.url}/connect/endsession?client_id=client-1&logout_hint=${sid}`)
  await Promise.all([first.received(1), second.received(1)])

  const jwks = createRemoteJWKSet(new URL(`${server.url}/connect/jwks`))
  for (const [audience, { tokens }] of [
    ['client-1', first],
    ['client-2', second],
  ] as const) {
    const { payload } = await jwtVerify(tokens[0] ?? '', jwks, { issuer: server.url, audience, typ: 'logout+jwt' })
    t.is(payload.sid, sid)
    t.is(payload.sub, String(sub))
    t.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
    t.false('nonce' in payload)
    t.is(typeof payload.jti, 'string')
  }
})

test('somebody else signing in ends the session of the first, and its clients hear of it', async (t) => {
  const receiver = await aReceiver()
  const server = await startServer({ client: aClient('client-1', { backchannelLogoutUri: receiver.uri }) })
  t.teardown(() => Promise.all([server.stop(), receiver.stop()]))
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const { id_token = '' } = await client.tokens({}, { browser })
  const page = await browser.get(client.authorizationUrl(await client.push({ prompt: 'login' })))
  await browser.submit(page, 'sign-in', { username: 'bob', password: 'builder' })
  await receiver.received(1)
  t.is(claimsOf(receiver.tokens[0] ?? '').sid, claimsOf(id_token).sid)
  t.is(claimsOf(receiver.tokens[0] ?? '').sub, 'user-alice')
})

test('the same user signing in again ends nothing', async (t) => {
  const receiver = await aReceiver()
  const server = await startServer({ client: aClient('client-1', { backchannelLogoutUri: receiver.uri }) })
  t.teardown(() => Promise.all([server.stop(), receiver.stop()]))
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const before = await client.tokens({}, { browser })
  const after = await client.tokens({ prompt: 'login' }, { browser })
  t.is(claimsOf(after.id_token ?? '').sid, claimsOf(before.id_token ?? '').sid)
  await server.close()
  t.is(receiver.tokens.length, 0)
})

test('a client that does not answer is told again, each time with a new token', async (t) => {
  const receiver = await aReceiver(500, 503, 200)
  t.teardown(() => receiver.stop())
  const { options } = aClient('client-1', { backchannelLogoutUri: receiver.uri })
  const now = () => Date.now() / 1000
  const keys = await createSigningKeys({
    source: createStoreKeySource(createMemoryStore(), createSeal([Buffer.alloc(32, 1)])),
    algorithms: ['ES256'],
    lifetime: 1000,
    publishBefore: 10,
    retention: 10,
    refreshInterval: 60,
    now,
  })
  const logout = createBackchannelLogout({
    issuer: 'https://as.example',
    clients: new Map([['client-1', options]]),
    keys,
    defaultAlgorithm: 'ES256',
    retryAfter: [0.01, 0.01, 0.01, 0.01],
    now,
  })
  logout.notify({
    subject: 's',
    username: 's',
    claims: {},
    sid: 'the sid',
    amr: [],
    authTime: 0,
    expiresAt: 0,
    clients: ['client-1', 'gone'],
  })
  await receiver.received(3)
  await logout.close()
  keys.close()
  t.is(receiver.tokens.length, 3)
  t.is(new Set(receiver.tokens.map((token) => claimsOf(token).jti)).size, 3)
})
