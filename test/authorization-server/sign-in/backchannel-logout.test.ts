import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { createBackchannelLogout } from '../../../src/authorization-server/sign-in/backchannel-logout.js'
import { createLogoutDeliveries } from '../../../src/authorization-server/sign-in/logout-deliveries.js'
import { createStoreKeySource } from '../../../src/authorization-server/tokens/key-source.js'
import { createSigningKeys } from '../../../src/authorization-server/tokens/signing-keys.js'
import { UpstreamError } from '../../../src/errors.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import type { Store } from '../../../src/store/store.js'
import { aBrowser } from '../_browser.js'
import { aProtocolClient, claimsOf } from '../_client.js'
import { aClient, startServer } from '../_running.js'

/** A client's back-channel endpoint that answers with these statuses, one after the other. */
async function aReceiver(...statuses: readonly number[]) {
  return aReceiverOn(0, ...statuses)
}

async function aReceiverOn(port: number, ...statuses: readonly number[]) {
  const tokens: string[] = []
  const http = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.writeHead(statuses[tokens.length] ?? 200).end()
    tokens.push(new URLSearchParams(body).get('logout_token') ?? '')
    http.emit('token')
  }).listen(port, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
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

const session = {
  subject: 's',
  username: 's',
  claims: {},
  sid: 'the sid',
  amr: [],
  authTime: 0,
  expiresAt: 0,
  clients: ['client-1', 'gone'],
}

/** What servers that share this store are made of. */
async function aSender(uri: string, store: Store = createMemoryStore()) {
  const { options } = aClient('client-1', { backchannelLogoutUri: uri })
  const now = () => Date.now() / 1000
  const seal = createSeal([Buffer.alloc(32, 1)])
  const keys = await createSigningKeys({
    source: createStoreKeySource(createMemoryStore(), seal),
    algorithms: ['ES256'],
    lifetime: 1000,
    publishBefore: 10,
    retention: 10,
    refreshInterval: 60,
    now,
  })
  const create = () =>
    createBackchannelLogout({
      issuer: 'https://as.example',
      store,
      seal,
      clients: new Map([['client-1', options]]),
      keys,
      defaultAlgorithm: 'ES256',
      retryAfter: [0.01, 0.01, 0.01, 0.01],
      sweepEvery: 0.01,
      now,
    })
  return { create, keys, store, deliveries: createLogoutDeliveries(store, seal, 1, now) }
}

test('a client that does not answer is told again, each time with a new token', async (t) => {
  const receiver = await aReceiver(500, 503, 200)
  t.teardown(() => receiver.stop())
  const { create, keys } = await aSender(receiver.uri)
  const logout = create()
  await logout.notify(session, 'r-1')
  await receiver.received(3)
  await logout.close()
  keys.close()
  t.is(receiver.tokens.length, 3)
  t.is(new Set(receiver.tokens.map((token) => claimsOf(token).jti)).size, 3)
})

test('of servers that share a store one tells the client, whichever takes it up', async (t) => {
  const receiver = await aReceiver(500, 500, 200)
  t.teardown(() => receiver.stop())
  const { create, keys, deliveries } = await aSender(receiver.uri)
  const servers = [create(), create(), create()]
  await deliveries.add({ requestId: 'r-1', clientId: 'client-1', subject: 's', sid: 'left', attempts: 0, dueAt: 0 })
  await receiver.received(3)
  while ((await deliveries.ids()).length > 0) await setImmediate()
  await Promise.all(servers.map((server) => server.close()))
  keys.close()
  t.deepEqual(
    receiver.tokens.map((token) => claimsOf(token).sid),
    ['left', 'left', 'left'],
  )
})

test('a client that never takes it is given up, and nothing of it stays in the store', async (t) => {
  const receiver = await aReceiver(...Array(9).fill(500))
  t.teardown(() => receiver.stop())
  const { create, keys, deliveries } = await aSender(receiver.uri)
  const logout = create()
  await logout.notify(session, 'r-1')
  await receiver.received(5)
  while ((await deliveries.ids()).length > 0) await setImmediate()
  await logout.close()
  keys.close()
  t.is(receiver.tokens.length, 5)
})

test('without the store the client is told all the same', async (t) => {
  const receiver = await aReceiver(500, 200)
  t.teardown(() => receiver.stop())
  const gone = () => Promise.reject(new UpstreamError('store_unavailable', 'the store is away'))
  const { create, keys } = await aSender(receiver.uri, { ...createMemoryStore(), set: gone, members: gone })
  const logout = create()
  await logout.notify(session, 'r-1')
  await receiver.received(2)
  await logout.close()
  keys.close()
  t.is(receiver.tokens.length, 2)
})

test('a logout that the client did not take outlives SIGKILL, and arrives once', async (t) => {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-logout-'))
  const down = await aReceiver()
  down.stop()
  const start = async (...rest: readonly string[]) => {
    const child = fork(fileURLToPath(new URL('./_logout-process.js', import.meta.url)), [path, down.uri, ...rest])
    t.teardown(() => child.kill('SIGKILL'))
    await once(child, 'message')
    return child
  }
  const first = await start('notify')
  first.kill('SIGKILL')
  await once(first, 'exit')
  const receiver = await aReceiverOn(down.port)
  t.teardown(() => receiver.stop())
  const second = await start()
  await receiver.received(1)
  second.send('close')
  const [left] = await once(second, 'message')
  t.is(left, 0)
  t.is(receiver.tokens.length, 1)
  t.is(claimsOf(receiver.tokens[0] ?? '').sid, 'the sid')
  await once(second, 'exit')
  await rm(path, { recursive: true, force: true })
})
