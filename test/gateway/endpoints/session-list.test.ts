import { once } from 'node:events'
import { request } from 'node:http'
import test from 'ava'
import { UpstreamError } from '../../../src/errors.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { aClock, aStandingClock } from '../_clock.js'
import { listen, serveGateway } from '../_gateway.js'
import { aPlantedGateway, codeOf, navigation, ownPage, type Planted } from '../_planted.js'
import { logIn } from '../_provider.js'
import { aWorld } from '../_world.js'

interface Listed {
  readonly handle: string
  readonly isCurrent: boolean
  readonly createdAt: string
  readonly lastSeenAt: string
  readonly address: string
  readonly userAgent: string
}

const list = async (world: Planted, Cookie: string) =>
  (
    JSON.parse((await world.call('/bff/sessions', { headers: { ...ownPage, Cookie, 'User-Agent': 'Test' } })).text) as {
      readonly sessions: readonly Listed[]
    }
  ).sessions

test('a user sees all of their sessions with handles, and ends one, then all others', async (t) => {
  const world = await aPlantedGateway(t)
  const planted = await Promise.all([1, 2, 3, 4].map(() => world.plant()))
  const stranger = await world.plant('app', { subject: 'bob' })
  for (const { cookie } of [...planted, stranger]) {
    await world.call('/api/x', { headers: { ...ownPage, Cookie: cookie, 'User-Agent': 'Test' } })
  }
  const cookie = planted[0]?.cookie ?? ''
  const sessions = await list(world, cookie)
  t.is(sessions.length, 4)
  t.is(sessions.filter(({ isCurrent }) => isCurrent).length, 1)
  t.like(sessions[0], { address: '127.0.0.x', userAgent: 'Test' })
  t.false(JSON.stringify(sessions).includes(planted[0]?.id ?? ''), 'no identifier of any session')

  const other = sessions.find(({ isCurrent }) => !isCurrent)
  const remove = (path: string, Cookie: string) =>
    world.call(path, { method: 'DELETE', headers: { ...ownPage, Cookie } })
  t.is((await remove(`/bff/sessions/${other?.handle}`, stranger.cookie)).status, 404, 'nobody ends another’s session')
  t.is((await remove(`/bff/sessions/${other?.handle}`, cookie)).status, 204)
  t.is((await remove(`/bff/sessions/${other?.handle}`, cookie)).status, 404)
  t.is((await list(world, cookie)).length, 3)
  t.is((await remove('/bff/sessions', cookie)).status, 204)
  t.is((await list(world, cookie)).length, 1)
  t.is((await list(world, stranger.cookie)).length, 1)
  const own = (await list(world, cookie))[0]?.handle
  const last = await remove(`/bff/sessions/${own}`, cookie)
  t.is(last.status, 204)
  t.regex(last.headers['set-cookie']?.join() ?? '', /sallyport-bff-app=;.*expires=Thu, 01 Jan 1970/i)
})

test('the idle time slides with use, the cookie with it, and the absolute limit stands', async (t) => {
  const time = aStandingClock()
  const world = await aPlantedGateway(t, {
    gateway: { now: time.now, store: createMemoryStore({ now: time.now }) },
    frontends: [{ name: 'app', session: { idle: 600, absolute: 1500, sliding: true, refreshGracePeriod: 0 } }],
  })
  const { cookie } = await world.plant('app', { accessTokens: { '': { value: 'token' } } })
  const use = () => world.call('/api/x', { headers: { ...ownPage, Cookie: cookie } })
  const maxAges: number[] = []
  for (const wait of [0, 500, 500, 400]) {
    time.advance(wait)
    const answer = await use()
    t.is(answer.status, 200, `after ${wait} seconds more`)
    maxAges.push(Number(/Max-Age=(\d+)/.exec(answer.headers['set-cookie']?.join() ?? '')?.[1]))
  }
  t.deepEqual(
    maxAges.map((age) => Math.round(age / 10) * 10),
    [600, 600, 500, 100],
  )
  time.advance(101)
  t.is(codeOf(await use()), 'bff.session.ended')
})

test('a session that nobody uses ends, and looking at it with slide=false is no use', async (t) => {
  const time = aStandingClock()
  const world = await aPlantedGateway(t, {
    gateway: { now: time.now, store: createMemoryStore({ now: time.now }) },
    frontends: [{ name: 'app', session: { idle: 600, absolute: 28_800, sliding: true, refreshGracePeriod: 0 } }],
  })
  const { cookie } = await world.plant()
  const expiry = async (query = '') => {
    const answer = await world.call(`/bff/user${query}`, { headers: { Cookie: cookie } })
    const { sessionExpiresAt } = JSON.parse(answer.text) as { readonly sessionExpiresAt?: string }
    return sessionExpiresAt === undefined ? undefined : Math.round(Date.parse(sessionExpiresAt) / 1000 - time.now())
  }
  t.is(await expiry(), 600)
  time.advance(300)
  t.is(await expiry('?slide=false'), 300)
  t.is(await expiry(), 600)
  time.advance(599)
  t.is(await expiry('?slide=false'), 1)
  time.advance(2)
  t.is(await expiry('?slide=false'), undefined)
})

test('a session ends no later than the server says: session_expiry and the refresh token’s life', async (t) => {
  const time = aClock()
  const world = await aPlantedGateway(t, { gateway: { now: time.now, store: createMemoryStore({ now: time.now }) } })
  const in100 = time.now() + 100
  const sessions = [
    await world.plant('app', { sessionExpiry: in100 }),
    await world.plant('app', { refreshTokenExpiresAt: in100 }),
    await world.plant('app', {
      refreshToken: undefined as never,
      accessTokens: { '': { value: 'x', expiresAt: in100 } },
    }),
  ]
  for (const { cookie } of sessions)
    t.is((await world.call('/api/x', { headers: { ...ownPage, Cookie: cookie } })).status, 200)
  time.advance(101)
  for (const { cookie } of sessions)
    t.is((await world.call('/api/x', { headers: { ...ownPage, Cookie: cookie } })).status, 401)
})

test('a store that cannot answer is 503 and no logout', async (t) => {
  const store = createMemoryStore()
  let down = false
  const failing = {
    ...store,
    get: (key: string) => (down ? Promise.reject(new UpstreamError('store_unavailable', 'down')) : store.get(key)),
  }
  const world = await aPlantedGateway(t, { gateway: { store: failing } })
  const { cookie } = await world.plant()
  const headers = { ...ownPage, Cookie: cookie }
  t.is((await world.call('/api/x', { headers })).status, 200)
  down = true
  for (const path of ['/api/x', '/bff/user', '/bff/sessions']) {
    const answer = await world.call(path, { headers })
    t.is(answer.status, 503, path)
    t.is(codeOf(answer), 'bff.store.unavailable')
    t.is(answer.headers['retry-after'], '2')
    t.is(answer.headers['set-cookie'], undefined)
  }
  const page = await world.call('/bff/user', { headers: { ...navigation, Cookie: cookie } })
  t.regex(page.text, /You are still signed in/)
  down = false
  t.is((await world.call('/api/x', { headers })).status, 200)
})

test('a stream that is open when its session ends is closed: at once here, within 5 seconds on another replica', async (t) => {
  const world = await aPlantedGateway(t)
  const on = await listen()
  const other = await serveGateway(on, world.options)
  t.teardown(async () => {
    await on.close()
    await other.close()
  })
  world.api.handle((_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: first\n\n')
  })
  const { cookie } = await world.plant()
  const open = async (origin: string) => {
    const sent = request(`${origin}/api/stream`, { headers: { ...ownPage, Cookie: cookie }, agent: false }).end()
    const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
    await once(response, 'data')
    const closed = new Promise<number>((resolve) => response.once('close', () => resolve(performance.now())))
    response.on('error', () => undefined).resume()
    return { closed }
  }
  const [here, there] = [await open(world.on.url), await open(on.url)]
  const started = performance.now()
  const logout = await world.call('/bff/logout', { method: 'POST', headers: { ...ownPage, Cookie: cookie } })
  t.is(logout.status, 200)
  t.true((await here.closed) - started < 1000)
  t.true((await there.closed) - started < 5000)
})

test('a login is in the list before its first call', async (t) => {
  const world = await aWorld(t)
  const [first, second] = [world.aBrowser(), world.aBrowser()]
  await logIn(first, `${world.url}/bff/login`)
  await logIn(second, `${world.url}/bff/login`)
  const answer = await first.call(new URL('/bff/sessions', world.url))
  const { sessions } = (await answer.json()) as { readonly sessions: readonly Listed[] }
  t.is(sessions.length, 2)
})

test('a session that its user ends leaves nothing in the store but what is used once', async (t) => {
  const store = createMemoryStore()
  const world = await aWorld(t, { gateway: { store } })
  const records = async (): Promise<number> => {
    const browser = world.aBrowser()
    await logIn(browser, `${world.url}/bff/login`)
    const before = store.usage().records
    await browser.call(new URL('/bff/sessions', world.url), { method: 'DELETE' })
    t.is(store.usage().records, before, 'the others are ended, of which there are none')
    const { sessions } = (await (await browser.call(new URL('/bff/sessions', world.url))).json()) as {
      readonly sessions: readonly Listed[]
    }
    const answer = await browser.call(new URL(`/bff/sessions/${sessions[0]?.handle}`, world.url), { method: 'DELETE' })
    t.is(answer.status, 204)
    return store.usage().records
  }
  const first = await records()
  t.is(await records(), first + 1, 'that the login is spent is remembered')
})
