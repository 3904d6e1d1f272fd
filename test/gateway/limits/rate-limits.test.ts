import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { UpstreamError } from '../../../src/errors.js'
import type { RateLimitOptions } from '../../../src/gateway/limits/limit-options.js'
import { createMemoryStore } from '../../../src/store/memory-store.js'
import { createRedisStore } from '../../../src/store/redis-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { startRedis } from '../../store/_redis.js'
import type { Reply } from '../_client.js'
import { aStandingClock } from '../_clock.js'
import { watchEvents } from '../_events.js'
import { aRoute, listen, serveGateway } from '../_gateway.js'
import { aPlantedGateway, codeOf, ownPage, type Planted, type PlantedOptions } from '../_planted.js'

/* `Frontends[].RateLimits` and `Routes[].RateLimits` */

const redis = await startRedis()
test.after.always(() => redis?.stop())

type Limits = readonly RateLimitOptions[]
type RouteLimits = Parameters<typeof aRoute>[0] extends infer Route ? Partial<Route> : never

/** One frontend, whose routes are at one API. */
const routed =
  (upstreams: readonly URL[]) =>
  (routes: readonly RouteLimits[], rateLimits: Limits = []): PlantedOptions['frontends'] => [
    { name: 'app', rateLimits, routes: routes.map((route) => aRoute({ upstreams, ...route })) },
  ]

async function aLimited(
  t: ExecutionContext,
  routes: readonly RouteLimits[],
  { rateLimits = [], gateway = {} }: { rateLimits?: Limits; gateway?: PlantedOptions['gateway'] } = {},
): Promise<Planted> {
  const upstream = await listen((_request, response) => response.end('here'))
  t.teardown(() => upstream.close())
  return aPlantedGateway(t, {
    frontends: routed([new URL(upstream.url)])(routes, rateLimits) ?? [],
    gateway: gateway ?? {},
  })
}

const statusesOf = (replies: readonly { readonly status: number }[]) => replies.map(({ status }) => status)

async function callsOf(world: Planted, cookie: string | undefined, count: number, path = '/api/x'): Promise<Reply[]> {
  const replies: Reply[] = []
  const headers = { ...ownPage, ...(cookie !== undefined && { Cookie: cookie }) }
  for (let i = 0; i < count; i++) replies.push(await world.call(path, { headers }))
  return replies
}

test('a session that asks too often is told when it may again, and why; another one at the same address is not touched', async (t) => {
  const time = aStandingClock()
  const gateway = { now: time.now, store: createMemoryStore({ now: time.now }) }
  const world = await aLimited(t, [{ rateLimits: [{ requests: 3, per: 60 }] }], { gateway })
  const [alice, bob] = [await world.plant(), await world.plant('app', { subject: 'bob' })]
  const replies = await callsOf(world, alice.cookie, 5)
  t.deepEqual(statusesOf(replies), [200, 200, 200, 429, 429])
  const [first, , third, refused] = replies
  t.is(first?.headers['ratelimit-policy'], '"route-session-60s";q=3;w=60')
  t.regex(String(first?.headers.ratelimit), /^"route-session-60s";r=2;t=6[0-3]$/)
  t.regex(String(third?.headers.ratelimit), /;r=0;/)
  t.is(codeOf(refused as Reply), 'bff.rate.exceeded')
  const { detail } = JSON.parse(refused?.text ?? '{}') as { detail: string }
  t.regex(detail, /^more than 3 requests within 60 s come from this session; the next one is taken in 6[0-3] s$/)
  t.regex(String(refused?.headers['retry-after']), /^6[0-3]$/)
  t.is(refused?.headers['ratelimit-policy'], '"route-session-60s";q=3;w=60')
  t.regex(String(refused?.headers.ratelimit), /^"route-session-60s";r=0;t=6[0-3]$/)
  t.deepEqual(statusesOf(await callsOf(world, bob.cookie, 3)), [200, 200, 200])
  time.advance(Number(refused?.headers['retry-after']))
  t.deepEqual(statusesOf(await callsOf(world, alice.cookie, 4)), [200, 200, 200, 429])
})

test('what one session may not do takes nothing from the others at its address', async (t) => {
  const world = await aLimited(t, [
    {
      rateLimits: [
        { requests: 6, per: 60, by: 'Address' },
        { requests: 2, per: 60 },
      ],
    },
  ])
  const [alice, bob, carol] = [await world.plant(), await world.plant(), await world.plant()]
  t.deepEqual(statusesOf(await callsOf(world, alice.cookie, 20)).filter((status) => status === 200).length, 2)
  t.deepEqual(statusesOf(await callsOf(world, bob.cookie, 3)), [200, 200, 429])
  t.deepEqual(statusesOf(await callsOf(world, carol.cookie, 2)), [200, 200])
  const [refused] = await callsOf(world, (await world.plant()).cookie, 1)
  t.is(refused?.status, 429, 'the address has had its six')
  t.regex(refused?.text ?? '', /come from your address/)
})

test('a limit of the frontend counts the calls of all its routes together, one of a route its own', async (t) => {
  const routes = [{ rateLimits: [{ requests: 3, per: 60 }] }, { path: '/other' }]
  const world = await aLimited(t, routes, { rateLimits: [{ requests: 5, per: 60 }] })
  const { cookie } = await world.plant()
  t.deepEqual(statusesOf(await callsOf(world, cookie, 4)), [200, 200, 200, 429])
  t.deepEqual(statusesOf(await callsOf(world, cookie, 3, '/other/x')), [200, 200, 429])
})

test('every limit has to have room: a burst and a long time', async (t) => {
  const time = aStandingClock()
  const gateway = { now: time.now, store: createMemoryStore({ now: time.now }) }
  const rateLimits = [
    { requests: 2, per: 1 },
    { requests: 3, per: 3600 },
  ]
  const world = await aLimited(t, [{ rateLimits }], { gateway })
  const { cookie } = await world.plant()
  t.deepEqual(statusesOf(await callsOf(world, cookie, 3)), [200, 200, 429])
  time.advance(2)
  const [last, refused] = await callsOf(world, cookie, 2)
  t.deepEqual([last?.status, refused?.status], [200, 429])
  t.is(last?.headers['ratelimit-policy'], '"route-session-1s";q=2;w=1, "route-session-3600s";q=3;w=3600')
  t.is(refused?.headers['ratelimit-policy'], '"route-session-3600s";q=3;w=3600', 'the one that was exceeded')
})

for (const tokenType of ['None', 'UserOrNone'] as const)
  test(`a caller without a session is counted by its address, and gets no more for leaving its cookie out (${tokenType})`, async (t) => {
    const world = await aLimited(t, [{ tokenType, rateLimits: [{ requests: 2, per: 60 }] }])
    t.deepEqual(statusesOf(await callsOf(world, undefined, 3)), [200, 200, 429])
    const cookies = Array.from({ length: 3 }, () => `sallyport-bff-app=${randomBytes(32).toString('base64url')}`)
    for (const made of cookies) t.deepEqual(statusesOf(await callsOf(world, made, 1)), [429])
  })

test('what is refused does not extend the session, and is one event a minute', async (t) => {
  const events = watchEvents(t)
  const time = aStandingClock()
  const gateway = { now: time.now, store: createMemoryStore({ now: time.now }) }
  const session = { idle: 600, absolute: 28_800, sliding: true, refreshGracePeriod: 60 }
  const upstream = await listen((_request, response) => response.end('here'))
  t.teardown(() => upstream.close())
  const route = aRoute({ path: '/told', upstreams: [new URL(upstream.url)], rateLimits: [{ requests: 1, per: 3600 }] })
  const world = await aPlantedGateway(t, { gateway, frontends: [{ name: 'app', session, routes: [route] }] })
  const { cookie, id } = await world.plant()
  await callsOf(world, cookie, 1, '/told')
  for (let passed = 0; passed < 590; passed += 59) {
    time.advance(59)
    t.deepEqual(statusesOf(await callsOf(world, cookie, 1, '/told')), [429])
  }
  time.advance(15)
  t.deepEqual(statusesOf(await callsOf(world, cookie, 1, '/told')), [401])
  // Those of other tests of this process are about other routes.
  const limited = events.filter((event) => event.type === 'gateway.rate.limited' && event.route === '/told')
  t.is(limited.length, 1)
  t.like(limited[0], { frontend: 'app', limit: 'route-session-3600s', refused: 1 })
  t.false(JSON.stringify(events).includes(id))
  t.false(events.some((event) => event.type === 'gateway.request.refused' && event.code === 'bff.rate.exceeded'))
})

test('fields of the API about its own limits stay beside ours, and a page of another origin may read both', async (t) => {
  const api = await listen((_request, response) => {
    response.setHeader('RateLimit-Policy', '"theirs";q=10;w=1')
    response.setHeader('RateLimit', '"theirs";r=9;t=1')
    response.end()
  })
  t.teardown(() => api.close())
  const upstreams = [new URL(api.url)]
  const cors = { origins: ['https://page.example'] }
  const world = await aPlantedGateway(t, {
    frontends: [{ name: 'app', cors, routes: [aRoute({ upstreams, rateLimits: [{ requests: 9, per: 60 }] })] }],
  })
  const { cookie } = await world.plant()
  const headers = { ...ownPage, 'Sec-Fetch-Site': 'same-site', Origin: 'https://page.example', Cookie: cookie }
  const reply = await world.call('/api/x', { headers })
  t.is(reply.headers['ratelimit-policy'], '"theirs";q=10;w=1, "route-session-60s";q=9;w=60')
  t.regex(String(reply.headers['access-control-expose-headers']), /RateLimit, RateLimit-Policy/)
})

test('while the store does not answer each process counts by itself', async (t) => {
  const memory = createMemoryStore()
  let asked = 0
  const store = {
    ...memory,
    async count() {
      asked++
      throw new UpstreamError('store_unavailable', 'down')
    },
  }
  const world = await aLimited(t, [{ tokenType: 'None', rateLimits: [{ requests: 3, per: 60 }] }], {
    gateway: { store, now: aStandingClock().now },
  })
  t.deepEqual(statusesOf(await callsOf(world, undefined, 5)), [200, 200, 200, 429, 429])
  t.is(asked, 1, 'a store that has not answered is left alone for a moment')
})

test('an upgrade that is one too many is told when to come again', async (t) => {
  const world = await aLimited(t, [{ rateLimits: [{ requests: 1, per: 60 }] }])
  const { cookie } = await world.plant()
  await callsOf(world, cookie, 1)
  const upgrade = {
    ...ownPage,
    Cookie: cookie,
    Origin: world.on.url,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
    'Sec-WebSocket-Version': '13',
  }
  const reply = await world.call('/api/socket', { headers: upgrade })
  t.is(reply.status, 429)
  t.regex(String(reply.headers['retry-after']), /^\d+$/)
})

if (redis === undefined) {
  test.skip('rate limits over Redis: no redis-server is installed', () => {})
} else {
  test('two replicas share one limit, and a page that polls ten times a second is told when and why', async (t) => {
    const seal = createSeal([randomBytes(32)])
    const stores = await Promise.all([1, 2].map(() => createRedisStore({ url: redis.url, timeout: 30 })))
    const [store, otherStore] = stores as [(typeof stores)[0], (typeof stores)[0]]
    const world = await aLimited(t, [{ rateLimits: [{ requests: 20, per: 5 }] }], { gateway: { store, seal } })
    const on = await listen()
    const other = await serveGateway(on, { ...world.options, store: otherStore })
    t.teardown(async () => {
      await on.close()
      await other.close()
      await Promise.all(stores.map((one) => one.close()))
    })
    const { cookie } = await world.plant()
    const headers = { ...ownPage, Cookie: cookie }
    const poll = (index: number) => fetch(`${index % 2 ? world.on.url : on.url}/api/news`, { headers })
    const parallel = await Promise.all(Array.from({ length: 60 }, (_, index) => poll(index)))
    t.is(parallel.filter(({ status }) => status === 200).length, 20)
    // Ten times a second, as it were, until it is let in again: the time that it was told is the time that it takes.
    const told = Number(parallel.find(({ status }) => status === 429)?.headers.get('retry-after'))
    t.true(told >= 1 && told <= 6, `${told}`)
    const refused = await poll(0)
    t.is(refused.status, 429)
    t.regex(((await refused.json()) as { detail: string }).detail, /more than 20 requests within 5 s .* in \d s$/)
    const since = performance.now()
    let index = 0
    while ((await poll(index++)).status !== 200) await delay(100)
    t.true(performance.now() - since < (told + 1) * 1000)
  })
}
