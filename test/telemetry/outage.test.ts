import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { createIssuerFetch } from '../../src/gateway/oauth/issuer-fetch.js'
import { createRedisStore } from '../../src/store/redis-store.js'
import { channelName, type SallyportEvent } from '../../src/telemetry/events.js'
import { createOutage } from '../../src/telemetry/outage.js'
import { freePorts, startStack } from '../flows/_stack.js'
import { createUserAgent } from '../flows/_user-agent.js'
import { startRedis } from '../store/_redis.js'

const redis = await startRedis()
const withRedis = redis === undefined ? test.skip : test

test('a line at once, one a minute while it lasts, and one when it is over, however often it comes and goes', (t) => {
  let now = 0
  const told: string[] = []
  const { failed, worked } = createOutage({
    onFailing: (cause, count) => void told.push(`${now}: ${cause} ${count}`),
    onBack: (seconds, count) => void told.push(`${now}: back after ${seconds}, ${count} more`),
    elapsed: () => now,
  })
  worked()
  for (; now < 130; now++) failed('ECONNREFUSED')
  worked()
  worked()
  now = 140
  for (; now < 200; now++) {
    failed('status 503')
    worked()
  }
  t.deepEqual(told, [
    '0: ECONNREFUSED 1',
    '60: ECONNREFUSED 60',
    '120: ECONNREFUSED 60',
    '130: back after 130, 9 more',
    '140: status 503 1',
    '190: back after 50, 50 more',
    '191: status 503 1',
  ])
})

test.serial('an API that is gone is one line that names it, and another when it is there again', async (t) => {
  const [port = 0] = await freePorts(1)
  const stack = await startStack({
    configure(configuration) {
      configuration.Bff.Frontends[0].Routes = [
        { Path: '/api', Upstreams: [`http://127.0.0.1:${port}`], TokenType: 'None', CircuitBreaker: { Failures: 100 } },
      ]
    },
  })
  const browser = createUserAgent()
  for (let n = 0; n < 20; n++) t.is((await browser.call(new URL('/api/orders', stack.gateway))).status, 502)
  const metrics = await (await fetch(new URL('/metrics', stack.admin))).text()
  t.regex(metrics, /sallyport_forwarded_seconds_count\{frontend="app",route="\/api",method="GET",status="5xx"\} 20/)
  t.regex(metrics, /sallyport_refusals_total\{product="gateway",code="bff\.upstream\.\w+",route="\/api"\} 20/)
  const api = createServer((_request, response) => void response.end()).listen(port, '127.0.0.1')
  t.teardown(() => api.close())
  while ((await browser.call(new URL('/api/orders', stack.gateway))).status !== 200);
  await stack.stop()
  const lines = stack
    .output()
    .split('\n')
    .filter((line) => line.includes('"gateway.upstream.'))
    .map((line) => JSON.parse(line))
  t.is(lines.length, 2)
  t.like(lines[0], {
    level: 'warn',
    msg: 'gateway.upstream.failing',
    upstream: `http://127.0.0.1:${port}`,
    route: '/api',
    cause: 'ECONNREFUSED',
    count: 1,
  })
  t.like(lines[1], { level: 'warn', msg: 'gateway.upstream.back', route: '/api' })
})

test.serial(
  'an authorization server that is gone, or answers 500, is told with its origin, and so is its return',
  async (t) => {
    const [port = 0] = await freePorts(1)
    const issuer = `http://127.0.0.1:${port}`
    const told = eventsOf(t, /^gateway\.issuer\.(?:failing|back)$/)
    const calls = eventsOf(t, /^gateway\.issuer\.called$/)
    const fetch = createIssuerFetch(2)
    t.teardown(fetch.close)
    await t.throwsAsync(fetch(`${issuer}/jwks`, {}))
    await t.throwsAsync(fetch(`${issuer}/token?code=secret`, {}))
    let status = 500
    const server = createServer((_request, response) => void response.writeHead(status).end()).listen(port, '127.0.0.1')
    t.teardown(() => server.close())
    t.is((await fetch(issuer, {})).status, 500)
    status = 400
    await fetch(issuer, {})
    t.deepEqual(told.slice(0, 1), [{ type: 'gateway.issuer.failing', issuer, cause: 'ECONNREFUSED', count: 1 }])
    t.like(told[1], { type: 'gateway.issuer.back', issuer })
    t.is(told.length, 2)
    const place = { type: 'gateway.issuer.called', issuer, seconds: 0 }
    t.deepEqual(
      calls.map((call) => ({ ...call, seconds: 0 })),
      [
        { ...place, endpoint: '/jwks' },
        { ...place, endpoint: '/token' },
        { ...place, endpoint: '/', status: 500 },
        { ...place, endpoint: '/', status: 400 },
      ],
    )
  },
)

withRedis('a Redis that is gone is told, with what the system says of it', async (t) => {
  const told: string[] = []
  const outage = createOutage({ onFailing: (cause) => void told.push(cause), onBack: () => void told.push('back') })
  const store = await createRedisStore({ url: redis?.url ?? '', outage })
  t.teardown(store.close)
  t.is(await store.get('nothing'), undefined)
  t.deepEqual(told, [])
  await redis?.stop()
  await t.throwsAsync(store.get('nothing'), { message: /did not answer/ })
  await t.throwsAsync(store.get('nothing'))
  t.is(told.length, 1)
  t.regex(told[0] ?? '', /^(?:ECONN(?:REFUSED|RESET)|SocketClosedUnexpectedlyError|ClientOfflineError)$/)
})

withRedis('an outage of the store is in the histogram of the route that it fails', async (t) => {
  const own = await startRedis()
  t.teardown(async () => own?.stop())
  const stack = await startStack({
    configure(configuration) {
      configuration.Store = { Redis: { Url: own?.url } }
      configuration.Bff.SealingKeys = [Buffer.alloc(32, 1).toString('base64url')]
    },
  })
  t.teardown(stack.stop)
  const browser = createUserAgent()
  const form = await browser.navigate(new URL('/bff/login', stack.gateway))
  await browser.submit(await browser.submit(form, { username: 'alice', password: 'wonderland' }), {})
  const call = async () => (await browser.call(new URL('/api/orders', stack.gateway))).status
  t.is(await call(), 200)
  await own?.stop()
  for (let n = 0; n < 5; n++) t.is(await call(), 503)
  const metrics = await (await fetch(new URL('/metrics', stack.admin))).text()
  t.regex(metrics, /sallyport_forwarded_seconds_count\{frontend="app",route="\/api",method="GET",status="5xx"\} 5/)
  t.regex(metrics, /sallyport_store_failures_total [1-9]/)
  await stack.stop()
  const told = stack
    .output()
    .split('\n')
    .filter((line) => line.includes('"server.store.failing"'))
  t.is(told.length, 1)
  t.like(JSON.parse(told[0] ?? ''), { level: 'warn', store: new URL(own?.url ?? '').host, count: 1 })
})

/** What is published from now on, of these types. */
function eventsOf(t: ExecutionContext, types: RegExp): SallyportEvent[] {
  const events: SallyportEvent[] = []
  const listen = (event: unknown): void => {
    if (types.test((event as SallyportEvent).type)) events.push(event as SallyportEvent)
  }
  subscribe(channelName, listen)
  t.teardown(() => void unsubscribe(channelName, listen))
  return events
}
