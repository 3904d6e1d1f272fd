import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test, { type ExecutionContext } from 'ava'
import { createFailureLimit } from '../../src/http/limits/network-limit.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { channelName, type SallyportEvent } from '../../src/telemetry/events.js'
import { aBrowser } from '../authorization-server/_browser.js'
import { aProtocolClient } from '../authorization-server/_client.js'
import { type RunningServer, startServer } from '../authorization-server/_running.js'
import { logIn } from '../gateway/_provider.js'
import { aWorld, type Problem, whoAmI } from '../gateway/_world.js'

/* What costs something and needs no login: no network may ask for it without end, and none pays for another. */

const stranger = { 'x-forwarded-for': '203.0.113.66' }
const neighbour = { 'x-forwarded-for': '198.51.100.1' }
const trustedProxies = ['127.0.0.0/8']

function events(t: ExecutionContext): SallyportEvent[] {
  const seen: SallyportEvent[] = []
  const listen = (event: unknown): void => void seen.push(event as SallyportEvent)
  subscribe(channelName, listen)
  t.teardown(() => void unsubscribe(channelName, listen))
  return seen
}

test.serial('beyond its room a network begins no login: 429, when to come back, and nothing is pushed', async (t) => {
  const seen = events(t)
  const { url, provider } = await aWorld(t, { gateway: { trustedProxies, loginLimits: { perAddress: 3 } } })
  const begin = (headers: Record<string, string>) => fetch(`${url}/bff/login`, { headers, redirect: 'manual' })
  for (let i = 0; i < 3; i++) t.is((await begin(stranger)).status, 303)
  const pushed = provider.posted.length

  for (let i = 0; i < 9; i++) {
    const refused = await begin(stranger)
    t.is(refused.status, 429)
    t.regex(refused.headers.get('retry-after') ?? '', /^([1-9]|[1-5]\d|6[0-3])$/)
    t.is(((await refused.json()) as Problem).code, 'bff.request.too_many')
  }
  t.is(provider.posted.length, pushed)
  t.is((await begin(neighbour)).status, 303)
  const page = await begin({ ...stranger, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' })
  t.is(page.status, 429)
  t.regex(await page.text(), /Please wait a moment/)
  t.deepEqual(
    seen.filter(({ type }) => type === 'gateway.network.limited'),
    [{ type: 'gateway.network.limited', limit: 'login', network: '203.0.113.66', refused: 1 }],
  )
  t.false(seen.some((event) => event.type === 'gateway.request.refused' && event.code === 'bff.request.too_many'))
})

test.serial('two hundred people of one office log in within a minute', async (t) => {
  const { url } = await aWorld(t)
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => fetch(`${url}/bff/login`, { redirect: 'manual' })),
  )
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [303])
})

test.serial(
  'made-up callbacks are refused shorter and shorter, and a real one of the same network passes',
  async (t) => {
    const { url, provider, ...world } = await aWorld(t, { gateway: { loginLimits: { perAddress: 3 } } })
    const madeUp = (i: number) =>
      fetch(`${url}/bff/callback?${new URLSearchParams({ iss: provider.issuer, code: 'x', state: `state-${i}` })}`)
    const codes: string[] = []
    for (let i = 0; i < 9; i++) codes.push(((await (await madeUp(i)).json()) as Problem).code)
    t.deepEqual(
      codes.slice(0, 3),
      Array.from({ length: 3 }, () => 'bff.login.transaction_absent'),
    )
    t.deepEqual(
      codes.slice(3),
      Array.from({ length: 6 }, () => 'bff.request.too_many'),
    )

    const browser = world.aBrowser()
    await logIn(browser, `${url}/bff/login`)
    t.like(await whoAmI(browser, url), { authenticated: true })
  },
)

test.serial('logout tokens that are not genuine come to an end', async (t) => {
  const { url } = await aWorld(t, { gateway: { trustedProxies } })
  const send = (headers: Record<string, string>) =>
    fetch(`${url}/bff/backchannel-logout`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ logout_token: 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA' }),
    })
  const statuses: number[] = []
  for (let i = 0; i < 64; i++) statuses.push((await send(stranger)).status)
  t.deepEqual([...new Set(statuses.slice(0, 60))], [400])
  t.deepEqual([...new Set(statuses.slice(60))], [429])
  t.is((await send(neighbour)).status, 400)
})

async function post(server: RunningServer, endpoint: string, headers: Record<string, string>, assertion: string) {
  const response = await fetch(`${server.url}/connect/${endpoint}`, {
    method: 'POST',
    headers,
    body: new URLSearchParams({
      client_id: 'client-1',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
  })
  return { status: response.status, retryAfter: response.headers.get('retry-after'), body: await response.json() }
}

for (const endpoint of ['par', 'token', 'introspect', 'revoke'])
  test.serial(`${endpoint}: who cannot prove which client it is has three hundred tries a minute`, async (t) => {
    const seen = events(t)
    const server = await startServer({ trustedProxies })
    t.teardown(() => server.stop())
    const other = aProtocolClient(server, server.other)
    for (let i = 0; i < 300; i++) {
      const { status } = await post(server, endpoint, stranger, 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjbGllbnQtMSJ9.AAAA')
      if (status !== 401) t.is(status, 401)
    }
    const refused = await post(server, endpoint, stranger, 'x')
    t.is(refused.status, 429)
    t.regex(refused.retryAfter ?? '', /^([1-9]|[1-5]\d|6[0-3])$/)
    t.like(refused.body, { error: 'temporarily_unavailable' })
    t.is((await post(server, endpoint, neighbour, 'x')).status, 401)
    t.is((await other.push()).status, 201)
    t.like(
      seen.find(({ type }) => type === 'as.network.limited'),
      { limit: 'client', network: '203.0.113.66', refused: 1 },
    )
  })

test.serial('a client is never shut out by strangers who share its address', async (t) => {
  const server = await startServer()
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const statuses: number[] = []
  for (let i = 0; i < 320; i++) statuses.push((await post(server, 'par', {}, 'x')).status)
  t.is(statuses.lastIndexOf(401), 299)
  t.is(statuses.indexOf(429), 300)
  t.is((await client.push()).status, 201)
})

test('a network where a client has proved who it is stays open to it, in every process, and to nobody who does not', async (t) => {
  const store = createMemoryStore()
  const aLimit = () =>
    createFailureLimit({ name: 'test', room: 2, store, count: store.count, onRefused: () => undefined })
  const [limit, replica] = [aLimit(), aLimit()]
  await limit.proved('192.0.2.1')
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    await limit.failed(address)
    await replica.failed(address)
    await t.throwsAsync(limit.failed(address), { name: 'TooManyRequests' })
  }
  for (const process of [limit, replica]) {
    await t.notThrowsAsync(process.assertRoom('192.0.2.1'))
    await t.throwsAsync(process.assertRoom('192.0.2.2'), { name: 'TooManyRequests' })
  }
})

test.serial('forty wrong passwords beyond the limit are one line in the log', async (t) => {
  const seen = events(t)
  const server = await startServer({ signInLimits: { perUserAndAddress: 1 } })
  t.teardown(() => server.stop())
  const client = aProtocolClient(server)
  const browser = aBrowser()
  const page = await browser.get(client.authorizationUrl(await client.push()))
  for (let i = 0; i < 41; i++) await browser.submit(page, 'sign-in', { username: 'alice', password: 'wrong' })
  t.is(seen.filter(({ type }) => type === 'as.network.limited').length, 1)
})
