import { randomBytes } from 'node:crypto'
import test from 'ava'
import { createGateway } from '../../../src/gateway/gateway.js'
import type { SessionsPerUserOptions } from '../../../src/gateway/limits/limit-options.js'
import { createRedisStore } from '../../../src/store/redis-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { createUserAgent, type UserAgent } from '../../flows/_user-agent.js'
import { startRedis } from '../../store/_redis.js'
import { watchEvents } from '../_events.js'
import { aFrontend, gatewayOptions, listen, serveGateway } from '../_gateway.js'
import { logIn } from '../_provider.js'
import { aWorld, type World, whoAmI } from '../_world.js'

/* `Frontends[].SessionsPerUser` */

const redis = await startRedis()
test.after.always(() => redis?.stop())

const withLimit = (sessionsPerUser: SessionsPerUserOptions) => ({ frontend: { sessionsPerUser } })

async function alive(browsers: readonly UserAgent[], url: string): Promise<readonly boolean[]> {
  return Promise.all(browsers.map(async (browser) => (await whoAmI(browser, url)).authenticated))
}

async function browsersOf(world: World, count: number): Promise<readonly UserAgent[]> {
  const browsers: UserAgent[] = []
  for (let i = 0; i < count; i++) browsers.push(await world.loggedIn())
  return browsers
}

test('the login that is one too many ends the session that was begun first', async (t) => {
  const events = watchEvents(t)
  const world = await aWorld(t, withLimit({ max: 2 }))
  const browsers = await browsersOf(world, 3)
  t.deepEqual(await alive(browsers, world.url), [false, true, true])
  t.like(
    events.find(({ type }) => type === 'gateway.session.ended'),
    { cause: 'displaced', frontend: 'app' },
  )
  const [first] = browsers
  t.is((await first?.call(`${world.url}/api/x`))?.status, 401)
  // Another user has room of their own.
  const bob = await world.loggedIn('bob')
  t.deepEqual(await alive([...browsers, bob], world.url), [false, true, true, true])
})

test('a login beyond is refused where that is said, and what the server had issued is taken back', async (t) => {
  const world = await aWorld(t, withLimit({ max: 2, whenFull: 'RefuseNew' }))
  const browsers = await browsersOf(world, 2)
  const third = createUserAgent()
  const page = await logIn(third, `${world.url}/bff/login`)
  t.is(page.status, 403)
  t.true(page.body.includes('bff.login.too_many_sessions'), page.body)
  t.deepEqual(await alive([...browsers, third], world.url), [true, true, false])
  t.is(world.provider.requests.filter((request) => request === 'POST /token/revocation').length, 1)
  // Signing out elsewhere makes room.
  await browsers[0]?.call(`${world.url}/bff/logout`, { method: 'POST' })
  t.is((await logIn(third, `${world.url}/bff/login`)).url.pathname, '/')
  t.deepEqual(await alive([...browsers, third], world.url), [false, true, true])
})

for (const whenFull of ['EndOldest', 'RefuseNew'] as const)
  test(`a login in a browser that has a session replaces it and takes no further room (${whenFull})`, async (t) => {
    const world = await aWorld(t, withLimit({ max: 2, whenFull }))
    const [one, two] = await browsersOf(world, 2)
    t.is((await two?.navigate(`${world.url}/bff/login`))?.url.pathname, '/')
    t.deepEqual(await alive([one, two] as UserAgent[], world.url), [true, true])
  })

for (const whenFull of ['EndOldest', 'RefuseNew'] as const)
  test(`eight logins of one user at once end with three sessions (${whenFull})`, async (t) => {
    const world = await aWorld(t, withLimit({ max: 3, whenFull }))
    const browsers = Array.from({ length: 8 }, createUserAgent)
    const landings = await Promise.all(browsers.map((browser) => logIn(browser, `${world.url}/bff/login`)))
    t.is((await alive(browsers, world.url)).filter(Boolean).length, 3)
    t.is(landings.filter(({ status }) => status === 403).length, whenFull === 'RefuseNew' ? 5 : 0)
  })

if (redis === undefined) {
  test.skip('sessions per user on two replicas: no redis-server is installed', () => {})
} else {
  test('ten logins of one user at once over two replicas end with three sessions', async (t) => {
    const seal = createSeal([randomBytes(32)])
    const stores = await Promise.all([1, 2].map(() => createRedisStore({ url: redis.url, timeout: 30 })))
    const [store, otherStore] = stores as [(typeof stores)[0], (typeof stores)[0]]
    const world = await aWorld(t, { ...withLimit({ max: 3 }), gateway: { store, seal } })
    const on = await listen()
    const other = await serveGateway(on, { ...world.options, store: otherStore })
    t.teardown(async () => {
      await on.close()
      await other.close()
      await Promise.all(stores.map((one) => one.close()))
    })
    const browsers = Array.from({ length: 10 }, createUserAgent)
    await Promise.all(
      browsers.map(async (browser, index) => {
        // The callback's path is all that differs between replicas: the browser is sent to the other one.
        const stopAt = (url: URL): boolean => index % 2 === 1 && url.pathname === '/bff/callback'
        const page = await browser.navigate(`${world.url}/bff/login`)
        const landing = await browser.submit(page, { login: 'alice', password: 'any' }, { stopAt })
        if (stopAt(landing.url)) await browser.navigate(`${on.url}/bff/callback${landing.url.search}`)
      }),
    )
    t.is((await alive(browsers, world.url)).filter(Boolean).length, 3)
    t.is((await alive(browsers, on.url)).filter(Boolean).length, 3)
  })
}

test('what cannot be counted, or is no number, is refused at the start', async (t) => {
  const refusal = (sessionsPerUser: SessionsPerUserOptions, scopes = ['openid']) =>
    createGateway(
      gatewayOptions([
        aFrontend({
          publicUrl: new URL('http://localhost'),
          authority: 'https://as.example',
          scopes,
          sessionsPerUser,
        }),
      ]),
    ).then((gateway) => gateway.close())
  await t.throwsAsync(refusal({ max: 1 }, ['orders']), { message: /sessionsPerUser: cannot be counted/ })
  for (const max of [0, -1, 1.5, Number.NaN])
    await t.throwsAsync(refusal({ max }), { message: /sessionsPerUser\/max: is not a number of sessions/ })
  await t.notThrowsAsync(refusal({ max: 1 }))
})
