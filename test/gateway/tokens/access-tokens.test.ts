import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createRedisStore } from '../../../src/store/redis-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { startRedis } from '../../store/_redis.js'
import { aClock } from '../_clock.js'
import { aRoute, listen, serveGateway } from '../_gateway.js'
import { aPlantedGateway, ownPage } from '../_planted.js'
import { aWorld, problemOf, type World, whoAmI } from '../_world.js'

const redis = await startRedis()
test.after.always(() => redis?.stop())

const refreshesOf = ({ provider }: World) =>
  provider.posted.filter(({ body }) => body.get('grant_type') === 'refresh_token')

test('50 calls at expiry make one token request, and all of them get the new token', async (t) => {
  const time = aClock()
  const world = await aWorld(t, { gateway: { now: time.now } })
  const browser = await world.loggedIn()
  time.advance(301)
  world.provider.tokenDelay = 3000
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => browser.call(`${world.url}/api/${i}`)))
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  // One refusal for want of a nonce may belong to the one refresh.
  t.is(new Set(refreshesOf(world).map(({ body }) => body.get('refresh_token'))).size, 1)
  t.true(refreshesOf(world).length <= 2)
  t.is(new Set(world.api.calls.map(({ headers }) => headers.authorization)).size, 1)
})

test('the old token serves while it lives and the authorization server is down', async (t) => {
  const time = aClock()
  const world = await aWorld(t, { gateway: { now: time.now } })
  const browser = await world.loggedIn()
  time.advance(280)
  for (const outage of ['reset', 'unavailable'] as const) {
    world.provider.tokenOutage = outage
    t.is((await browser.call(`${world.url}/api/x`)).status, 200)
    time.advance(6)
  }
  time.advance(20)
  const refused = await browser.call(`${world.url}/api/x`)
  t.is(refused.status, 503)
  t.is(refused.headers.get('retry-after'), '2')
  t.is((await problemOf(refused)).code, 'bff.issuer.unavailable')
  t.like(await whoAmI(browser, world.url), { authenticated: true }, 'an outage is no logout')
  world.provider.tokenOutage = 'none'
  t.is((await browser.call(`${world.url}/api/x`)).status, 200)
})

test('the death of the refresh token ends the session, and the page is told where to log in', async (t) => {
  const time = aClock()
  const world = await aWorld(t, { gateway: { now: time.now } })
  const browser = await world.loggedIn()
  const [grant] = [...new Set(world.provider.posted.map(({ body }) => body.get('code')).filter(Boolean))]
  t.truthy(grant)
  await revokeGrants(world)
  time.advance(301)
  const refused = await browser.call(`${world.url}/api/x`)
  t.is(refused.status, 401)
  t.like(await problemOf(refused), { code: 'bff.session.ended', loginUrl: '/bff/login' })
  t.deepEqual(await whoAmI(browser, world.url), { authenticated: false })
})

async function revokeGrants({ provider }: World): Promise<void> {
  const { RefreshToken } = provider.instance()
  for (const { path, body } of provider.posted) {
    if (path !== '/token' || body.get('grant_type') !== 'authorization_code') continue
    // The code's grant is what the refresh token belongs to.
    const code = await provider.instance().AuthorizationCode.find(body.get('code') ?? '', { ignoreExpiration: true })
    if (code?.grantId) await RefreshToken.revokeByGrantId(code.grantId)
  }
}

if (redis === undefined) {
  test.skip('refreshes over Redis: no redis-server is installed', () => {})
} else {
  test('50 calls at expiry over two gateways on one Redis make one token request', async (t) => {
    const time = aClock()
    const seal = createSeal([randomBytes(32)])
    const store = await createRedisStore({ url: redis.url, timeout: 30 })
    const world = await aWorld(t, { gateway: { now: time.now, store, seal } })
    // A second process has its own connection and its own memory; what they share is Redis.
    const otherStore = await createRedisStore({ url: redis.url, timeout: 30 })
    const on = await listen()
    const other = await serveGateway(on, { ...world.options, store: otherStore })
    t.teardown(async () => {
      await on.close()
      await other.close()
      await Promise.all([store.close(), otherStore.close()])
    })
    const browser = await world.loggedIn()
    time.advance(301)
    world.provider.tokenDelay = 3000
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => browser.call(`${i % 2 ? world.url : on.url}/api/${i}`)),
    )
    t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    t.is(new Set(refreshesOf(world).map(({ body }) => body.get('refresh_token'))).size, 1)
    t.true(refreshesOf(world).length <= 2)
    t.is(new Set(world.api.calls.map(({ headers }) => headers.authorization)).size, 1)
    t.like(await whoAmI(browser, on.url), { authenticated: true })
  })
}

for (const [name, routes, status] of [
  ['the only resource that the login named', [{ resource: 'https://orders.example' }], 200],
  ['the same on every route', [{ resource: 'https://orders.example' }, { resource: 'https://orders.example' }], 200],
  ['one of two', [{ resource: 'https://orders.example' }, { resource: 'https://other.example' }], 503],
  ['fewer scopes', [{ resource: 'https://orders.example', scopes: ['orders'] }], 503],
  ['one that the login did not name', [{ resource: 'https://orders.example' }, {}], 503],
] as const) {
  test(`a route for a resource has the login's token at once where that is for it: ${name}`, async (t) => {
    const upstream = await listen((_request, response) => response.end())
    t.teardown(() => upstream.close())
    const upstreams = [new URL(upstream.url)]
    const world = await aPlantedGateway(t, {
      // No authorization server is there: a refresh fails.
      frontends: [
        { name: 'app', routes: routes.map((route, index) => aRoute({ upstreams, path: `/api/${index}`, ...route })) },
      ],
    })
    const { cookie } = await world.plant()
    t.is((await world.call('/api/0', { headers: { ...ownPage, cookie } })).status, status)
  })
}
