import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { createRedisStore } from '../../../src/store/redis-store.js'
import { createSeal } from '../../../src/store/seal.js'
import { startRedis } from '../../store/_redis.js'
import { aClock } from '../_clock.js'
import { listen, serveGateway } from '../_gateway.js'
import { aWorld, problemOf, type World, type WorldOptions } from '../_world.js'

/* An API that refuses the access token as invalid (RFC 6750 §3.1): one refresh, one more attempt. */

const redis = await startRedis()
test.after.always(() => redis?.stop())

interface Refusing extends World {
  /** Tokens that the API refuses. */
  readonly refused: Set<string>
  /** What came to the API, in order. */
  readonly seen: { readonly token: string; readonly body: string; readonly jti: string }[]
}

/** @param accepts whether the API takes a token that it has not been told to refuse */
async function aRefusingApi(
  t: ExecutionContext,
  options: WorldOptions = {},
  challenge = 'DPoP algs="ES256", error="invalid_token", error_description="unknown key"',
): Promise<Refusing> {
  const world = await aWorld(t, options)
  const refused = new Set<string>()
  const seen: Refusing['seen'] = []
  world.api.handle(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const [, token = ''] = (request.headers.authorization ?? '').split(' ')
    const [, payload = ''] = String(request.headers.dpop).split('.')
    const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { jti: string }
    seen.push({ token, body: Buffer.concat(chunks).toString(), jti })
    if (refused.has(token) || refused.has('all')) response.writeHead(401, { 'WWW-Authenticate': challenge }).end('no')
    else response.end('yes')
  })
  return { ...world, refused, seen }
}

const refreshesOf = ({ provider }: World) =>
  new Set(
    provider.posted
      .filter(({ body }) => body.get('grant_type') === 'refresh_token')
      .map(({ body }) => body.get('refresh_token')),
  ).size

test('a call whose token is refused is sent once more with a new token and a new proof, body and all', async (t) => {
  const world = await aRefusingApi(t)
  const browser = await world.loggedIn()
  const send = () => browser.call(`${world.url}/api/orders`, { method: 'POST', body: 'two apples' })
  t.is((await send()).status, 200)
  world.refused.add(world.seen[0]?.token ?? '')
  const again = await send()
  t.deepEqual([again.status, await again.text()], [200, 'yes'])
  t.is(again.headers.get('x-bff-session-refreshed'), 'true')
  t.is(again.headers.get('www-authenticate'), null)
  const [, second, third] = world.seen
  t.deepEqual([second?.body, third?.body], ['two apples', 'two apples'])
  t.not(second?.token, third?.token)
  t.is(new Set(world.seen.map(({ jti }) => jti)).size, 3)
  t.is(refreshesOf(world), 1)
  t.is((await send()).status, 200)
  t.is(world.seen.length, 4, 'the next call has the new token at once')
})

test('fifty calls whose token is refused at once make one refresh, and all of them succeed', async (t) => {
  const world = await aRefusingApi(t)
  const browser = await world.loggedIn()
  await browser.call(`${world.url}/api/first`)
  world.refused.add(world.seen[0]?.token ?? '')
  world.provider.tokenDelay = 500
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => browser.call(`${world.url}/api/${i}`)))
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
  t.is(refreshesOf(world), 1)
})

test('an API that refuses every token is answered as it is, and brings one refresh a minute', async (t) => {
  const time = aClock()
  const world = await aRefusingApi(t, { gateway: { now: time.now } })
  const browser = await world.loggedIn()
  world.refused.add('all')
  for (let i = 0; i < 5; i++) {
    const answer = await browser.call(`${world.url}/api/x`)
    t.deepEqual([answer.status, await answer.text()], [401, 'no'])
    t.regex(answer.headers.get('www-authenticate') ?? '', /invalid_token/)
  }
  t.is(refreshesOf(world), 1)
  t.is(world.seen.length, 6, 'the first call was sent twice, the others once')
  time.advance(61)
  await browser.call(`${world.url}/api/x`)
  t.is(refreshesOf(world), 2)
})

test('other refusals are passed on without a refresh', async (t) => {
  for (const challenge of [
    'DPoP error="insufficient_user_authentication"',
    'DPoP error="invalid_dpop_proof"',
    'DPoP',
  ]) {
    const world = await aRefusingApi(t, {}, challenge)
    const browser = await world.loggedIn()
    world.refused.add('all')
    t.is((await browser.call(`${world.url}/api/x`)).status, 401)
    t.deepEqual([world.seen.length, refreshesOf(world)], [1, 0], challenge)
  }
})

test('a body that is too large to be kept is not sent twice: the page gets the refusal', async (t) => {
  const world = await aRefusingApi(t, { route: { replayLimit: 10 } })
  const browser = await world.loggedIn()
  await browser.call(`${world.url}/api/first`)
  world.refused.add(world.seen[0]?.token ?? '')
  const answer = await browser.call(`${world.url}/api/x`, { method: 'POST', body: 'more than ten bytes' })
  t.is(answer.status, 401)
  t.is(refreshesOf(world), 0)
})

test('a session whose refresh token is dead ends, and the page is told where to log in', async (t) => {
  const world = await aRefusingApi(t)
  const browser = await world.loggedIn()
  await browser.call(`${world.url}/api/first`)
  world.refused.add('all')
  world.provider.tokenOutage = { status: 400, body: '{"error":"invalid_grant"}' }
  const answer = await browser.call(`${world.url}/api/x`)
  t.is(answer.status, 401)
  t.like(await problemOf(answer), { code: 'bff.session.ended', loginUrl: '/bff/login' })
})

test("while the authorization server is down the API's refusal stands, and the session goes on", async (t) => {
  const world = await aRefusingApi(t)
  const browser = await world.loggedIn()
  await browser.call(`${world.url}/api/first`)
  world.refused.add('all')
  world.provider.tokenOutage = 'unavailable'
  const answer = await browser.call(`${world.url}/api/x`)
  t.deepEqual([answer.status, await answer.text()], [401, 'no'])
  world.refused.clear()
  t.is((await browser.call(`${world.url}/api/x`)).status, 200)
})

test('a large refusal that waits for the refresh takes no more memory than a small one', async (t) => {
  const world = await aWorld(t)
  const browser = await world.loggedIn()
  const first = { token: '' }
  let sent = 0
  world.api.handle((request, response) => {
    const token = request.headers.authorization ?? ''
    if (first.token === '') first.token = token
    if (token !== first.token) return void response.end('yes')
    response.writeHead(401, { 'WWW-Authenticate': 'DPoP error="invalid_token"' })
    const more = (): void => {
      while (sent < 200_000_000) {
        sent += 65_536
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more)
      }
      response.end()
    }
    response.on('close', () => response.removeAllListeners('drain'))
    more()
  })
  world.provider.tokenDelay = 1000
  const answer = await browser.call(`${world.url}/api/x`)
  t.deepEqual([answer.status, await answer.text()], [200, 'yes'])
  t.true(sent < 20_000_000, `${sent} bytes were taken`)
})

if (redis === undefined) {
  test.skip('refused tokens over Redis: no redis-server is installed', () => {})
} else {
  test('a token that another replica has got meanwhile is used first: no second refresh', async (t) => {
    const seal = createSeal([randomBytes(32)])
    const store = await createRedisStore({ url: redis.url, timeout: 30 })
    const otherStore = await createRedisStore({ url: redis.url, timeout: 30 })
    const world = await aRefusingApi(t, { gateway: { store, seal } })
    const on = await listen()
    const other = await serveGateway(on, { ...world.options, store: otherStore })
    t.teardown(async () => {
      await on.close()
      await other.close()
      await Promise.all([store.close(), otherStore.close()])
    })
    const browser = await world.loggedIn()
    await Promise.all([browser.call(`${world.url}/api/x`), browser.call(`${on.url}/api/x`)])
    world.refused.add(world.seen[0]?.token ?? '')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => browser.call(`${i % 2 ? world.url : on.url}/api/${i}`)),
    )
    t.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
    t.is(refreshesOf(world), 1)
  })
}
