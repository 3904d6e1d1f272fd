import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { aClock } from '../_clock.js'
import { aRoute, listen, serveGateway } from '../_gateway.js'
import { aPlantedGateway, ownPage, planting } from '../_planted.js'
import { aWorld, problemOf } from '../_world.js'

/* `Routes[].CountsAsUse`: what a page asks by itself does not keep a session alive. */

const session = { idle: 600, absolute: 28_800, sliding: true, refreshGracePeriod: 60 }

test('a session that is only polled with ends as if it were not used, refreshes or not', async (t) => {
  const time = aClock()
  const world = await aWorld(t, {
    gateway: { now: time.now, store: createMemoryStore({ now: time.now }) },
    frontend: { session },
    routes: [{ path: '/api/news', countsAsUse: false }],
  })
  const browser = await world.loggedIn()
  const poll = () => browser.call(`${world.url}/api/news`)
  for (let passed = 0; passed < 590; passed += 59) {
    t.is((await poll()).status, 200, `after ${passed} s`)
    time.advance(59)
  }
  const refreshes = world.provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token')
  t.true(refreshes.length > 0, 'access tokens live 300 s: the polls have had them refreshed')
  time.advance(15)
  const ended = await poll()
  t.is(ended.status, 401)
  t.like(await problemOf(ended), { code: 'bff.session.ended', loginUrl: '/bff/login' })
})

test('a session that is used beside the polling lives on', async (t) => {
  const time = aClock()
  const world = await aWorld(t, {
    gateway: { now: time.now, store: createMemoryStore({ now: time.now }) },
    frontend: { session },
    routes: [{ path: '/api/news', countsAsUse: false }],
  })
  const browser = await world.loggedIn()
  for (let hour = 0; hour < 6; hour++) {
    t.is((await browser.call(`${world.url}/api/orders`)).status, 200)
    time.advance(300)
    const polled = await browser.call(`${world.url}/api/news`)
    t.is(polled.status, 200)
    t.is(polled.headers.get('set-cookie'), null, 'the browser does not keep its cookie longer either')
    time.advance(290)
  }
})

test('a refresh on the replica that only polls does not take from the session what another replica has given it', async (t) => {
  const time = aClock()
  const [store, seal] = [createMemoryStore({ now: time.now }), createSeal([randomBytes(32)])]
  const world = await aWorld(t, {
    gateway: { now: time.now, store, seal },
    frontend: { session },
    routes: [{ path: '/api/news', countsAsUse: false }],
  })
  const on = await listen()
  const other = await serveGateway(on, world.options)
  t.teardown(async () => {
    await on.close()
    await other.close()
  })
  const browser = await world.loggedIn()
  // 500 s of polling at one, and a call at the other just before the session would end.
  for (let passed = 0; passed < 500; passed += 50) {
    t.is((await browser.call(`${on.url}/api/news`)).status, 200)
    time.advance(50)
  }
  t.is((await browser.call(`${world.url}/api/orders`)).status, 200)
  for (let passed = 0; passed < 550; passed += 50) {
    t.is((await browser.call(`${on.url}/api/news`)).status, 200, `${passed} s after the call`)
    time.advance(50)
  }
  time.advance(60)
  t.is((await browser.call(`${on.url}/api/news`)).status, 401)
})

test('a session without a subject is kept by its calls and not by its polls', async (t) => {
  const time = aClock()
  const store = createMemoryStore({ now: time.now })
  const gateway = { now: time.now, store }
  const { options, call, api } = await aPlantedGateway(t, { gateway, frontends: [{ name: 'app', session }] })
  const upstreams = [new URL(api.url)]
  const on = await listen()
  const polling = await serveGateway(on, {
    ...options,
    frontends: options.frontends.map((frontend) => ({
      ...frontend,
      routes: [aRoute({ upstreams }), aRoute({ upstreams, path: '/api/news', countsAsUse: false })],
    })),
  })
  t.teardown(async () => {
    await on.close()
    await polling.close()
  })
  const { plant } = planting({ ...options, now: time.now })
  const record = { createdAt: Math.floor(time.now()), accessTokens: { '': { value: 'opaque' } } }
  const { cookie } = await plant('app', { ...record, claims: {}, subject: undefined as never })
  const headers = { ...ownPage, Cookie: cookie }
  t.is((await call('/api/x', { headers })).status, 200)
  time.advance(400)
  t.is((await fetch(`${on.url}/api/news`, { headers })).status, 200)
  t.is((await fetch(`${on.url}/api/x`, { headers })).status, 200)
  time.advance(550)
  t.is((await fetch(`${on.url}/api/news`, { headers })).status, 200)
  time.advance(60)
  t.is((await fetch(`${on.url}/api/news`, { headers })).status, 401)
})
