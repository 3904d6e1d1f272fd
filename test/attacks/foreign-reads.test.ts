import { METHODS } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import type { TokenType } from '../../src/gateway/route-options.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { type CallOptions, call, rawConnection } from '../gateway/_client.js'
import { codeOf } from '../gateway/_planted.js'
import { aGate, publicOrigin } from './_gate.js'

/*
 * Requests that cannot carry a header of ours, as browsers send them: the page's own may read with the session, the same
 * from any other page may not, and nothing of theirs reaches an upstream.
 */

interface Kind {
  readonly what: string
  readonly mode: string
  readonly destination: string
  readonly headers?: Readonly<Record<string, string>>
}

const kinds: readonly Kind[] = [
  { what: 'an image', mode: 'no-cors', destination: 'image', headers: { Accept: 'image/avif,image/webp,*/*;q=0.8' } },
  { what: 'a download', mode: 'navigate', destination: 'empty', headers: { Accept: 'text/html,*/*;q=0.8' } },
  { what: 'an event stream', mode: 'cors', destination: 'empty', headers: { Accept: 'text/event-stream' } },
  { what: 'a range of a video', mode: 'no-cors', destination: 'video', headers: { Range: 'bytes=0-' } },
  { what: 'a track of sound', mode: 'no-cors', destination: 'audio', headers: { Range: 'bytes=0-' } },
  { what: 'subtitles', mode: 'same-origin', destination: 'track' },
  { what: 'a document in a frame', mode: 'navigate', destination: 'iframe', headers: { Accept: 'text/html' } },
  { what: 'a document in a frame set', mode: 'navigate', destination: 'frame', headers: { Accept: 'text/html' } },
  { what: 'an embedded document', mode: 'navigate', destination: 'embed' },
  { what: 'an object', mode: 'navigate', destination: 'object' },
  { what: 'a script', mode: 'no-cors', destination: 'script' },
  { what: 'a module', mode: 'cors', destination: 'script' },
  { what: 'JSON as a module', mode: 'cors', destination: 'json' },
  { what: 'a style sheet', mode: 'no-cors', destination: 'style' },
  { what: 'a font', mode: 'cors', destination: 'font' },
  { what: 'a worker', mode: 'same-origin', destination: 'worker' },
  { what: 'a shared worker', mode: 'same-origin', destination: 'sharedworker' },
  { what: 'a manifest', mode: 'cors', destination: 'manifest' },
  { what: 'a call of a script', mode: 'cors', destination: 'empty', headers: { Accept: '*/*' } },
  { what: 'a call that wants no answer', mode: 'no-cors', destination: 'empty', headers: { Accept: '*/*' } },
  { what: 'a page fetched ahead', mode: 'no-cors', destination: 'empty', headers: { 'Sec-Purpose': 'prefetch' } },
]

const withToken: readonly TokenType[] = ['User', 'UserOrNone', 'Client']

const aGateway = async (t: ExecutionContext) => {
  const gate = await aGate(t, {
    frontends: [
      {
        routes: [
          ...withToken.map((tokenType) => ({ path: `/${tokenType.toLowerCase()}`, tokenType })),
          { path: '/strict', requireCsrfHeader: true },
        ],
      },
    ],
  })
  return { ...gate, call: (path: string, options: CallOptions) => call(gate.url, path, options) }
}

const saidBy = ({ mode, destination, headers }: Kind, site: string) => ({
  'Sec-Fetch-Site': site,
  'Sec-Fetch-Mode': mode,
  'Sec-Fetch-Dest': destination,
  ...headers,
})

test('what a page of our own reads without the header passes, with the session’s token', async (t) => {
  const world = await aGateway(t)
  const { cookie, accessToken } = await world.plant()
  for (const kind of kinds)
    for (const path of ['/user/x', '/userornone/x'])
      for (const method of ['GET', 'HEAD']) {
        const before = world.upstream.seen.length
        const { status } = await world.call(path, {
          method,
          headers: { Cookie: cookie, ...saidBy(kind, 'same-origin') },
        })
        t.is(status, 200, `${kind.what} ${method} ${path}`)
        t.is(world.upstream.seen.length, before + 1)
        t.is(world.upstream.seen.at(-1)?.headers.authorization, `DPoP ${accessToken}`)
      }
  t.is((await world.call('/user/x', { headers: saidBy(kinds[0] as Kind, 'same-origin') })).status, 401)
})

const elsewhere = ['cross-site', 'same-site', 'none', 'cross-site, same-origin', 'Same-Origin', ''] as const

test('the same from another page is refused, and so is what no page has sent and no person has typed', async (t) => {
  const world = await aGateway(t)
  const { cookie } = await world.plant()
  let variants = 0
  for (const site of elsewhere)
    for (const kind of kinds)
      for (const name of withToken)
        for (const method of ['GET', 'HEAD']) {
          const answer = await world.call(`/${name.toLowerCase()}/x`, {
            method,
            headers: { Cookie: cookie, ...saidBy(kind, site) },
          })
          t.is(answer.status, 403, `${kind.what}, ${site}: ${method} of ${name}`)
          t.is(answer.headers['set-cookie'], undefined, 'and keeps no session alive')
          variants += 1
        }
  t.true(variants >= 60 * 2 * withToken.length)
  t.is(world.upstream.seen.length, 0)
})

test('a typed address is the person’s own, in a window of its own and when it is really opened', async (t) => {
  const world = await aGateway(t)
  const { cookie } = await world.plant()
  const typed = { what: 'typed', mode: 'navigate', destination: 'document', headers: { Accept: 'text/html' } }
  const ask = (headers: Readonly<Record<string, string>>, path = '/user/x', method = 'GET') =>
    world.call(path, { method, headers: { Cookie: cookie, ...saidBy(typed, 'none'), ...headers } })
  t.is((await ask({})).status, 200)
  t.is((await ask({ 'Sec-Fetch-User': '?1' })).status, 200)
  const before = world.upstream.seen.length
  for (const headers of [
    { 'Sec-Purpose': 'prefetch;prerender' },
    { Purpose: 'prefetch' },
    { 'Sec-Fetch-Dest': 'iframe' },
    { 'Sec-Fetch-Dest': '' },
    { 'Sec-Fetch-Mode': 'no-cors' },
    { 'Sec-Fetch-Mode': 'nested-navigate' },
    { Origin: 'null' },
    { Origin: 'https://evil.example' },
  ])
    t.is((await ask(headers)).status, 403, JSON.stringify(headers))
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    t.is((await ask({}, '/user/x', method)).status, 403, method)
  // The parser of Node 20.19 does not know it, and refuses it itself.
  t.is((await ask({}, '/user/x', 'QUERY')).status, METHODS.includes('QUERY') ? 403 : 400)
  t.is(codeOf(await ask({}, '/strict/x')), 'bff.csrf.header_missing')
  t.is(world.upstream.seen.length, before)
})

test('nothing that a program says by itself stands for the header: without Sec-Fetch-Site it is needed', async (t) => {
  const world = await aGateway(t)
  const { cookie } = await world.plant()
  for (const headers of [
    {},
    { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
    { 'Sec-Fetch-User': '?1' },
    { Origin: publicOrigin },
    { Referer: `${publicOrigin}/` },
    { Accept: 'text/html' },
    { 'X-Requested-With': 'XMLHttpRequest' },
  ])
    t.is(codeOf(await world.call('/user/x', { headers: { Cookie: cookie, ...headers } })), 'bff.csrf.header_missing')
  t.is((await world.call('/user/x', { headers: { Cookie: cookie, 'X-CSRF': '1' } })).status, 200)
  t.is(world.upstream.seen.length, 1)
})

test('a service worker is no picture: it stays after the logout, so that a script of an API never becomes one', async (t) => {
  const world = await aGateway(t)
  const { cookie } = await world.plant()
  const worker = { what: 'a service worker', mode: 'same-origin', destination: 'serviceworker' }
  const headers = { Cookie: cookie, 'Service-Worker': 'script', ...saidBy(worker, 'same-origin') }
  t.is(codeOf(await world.call('/user/sw.js', { headers })), 'bff.csrf.header_missing')
  t.is(world.upstream.seen.length, 0)
})

test('a page of ours on another host asks by CORS, and may read without the header; its neighbours may not', async (t) => {
  const gate = await aGate(t, { frontends: [{ cors: { origins: ['https://www.shop.example'] } }] })
  const { cookie } = await gate.plant()
  const stream = { what: 'an event stream', mode: 'cors', destination: 'empty' }
  const ask = (headers: Readonly<Record<string, string>>, method = 'GET') =>
    call(gate.url, '/api/events', { method, headers: { Cookie: cookie, ...saidBy(stream, 'same-site'), ...headers } })
  const answer = await ask({ Origin: 'https://www.shop.example' })
  t.is(answer.status, 200)
  t.is(answer.headers['access-control-allow-origin'], 'https://www.shop.example')
  t.is(codeOf(await ask({ Origin: 'https://www.shop.example' }, 'POST')), 'bff.csrf.header_missing')
  // A Referer outlives a redirect over another site; what the browser says of the way does not.
  for (const headers of [{}, { Origin: 'https://other.shop.example' }, { Referer: 'https://www.shop.example/' }])
    t.is((await ask(headers)).status, 403)
})

const openRoute = { path: '/open', tokenType: 'None' } as const

test('what a browser keeps of a personal answer is for pages of this origin, unless the API says otherwise', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes: [{}, openRoute] }] })
  const { cookie } = await gate.plant()
  const headers = { Cookie: cookie, 'Sec-Fetch-Site': 'same-origin' }
  const policyAt = async (path: string) =>
    (await call(gate.url, path, { headers })).headers['cross-origin-resource-policy']
  t.is(await policyAt('/api/x'), 'same-origin')
  t.is(await policyAt('/open/x'), undefined)
})

test('a route without a token needs no header and no session, and carries nothing of ours: not even a look at the store', async (t) => {
  const looks: string[] = []
  const store = createMemoryStore()
  const gate = await aGate(t, {
    frontends: [{ routes: [openRoute, {}] }],
    gateway: {
      store: new Proxy(store, {
        get(target, name) {
          looks.push(String(name))
          return Reflect.get(target, name)
        },
      }),
    },
  })
  // Its token is due for a refresh, and its idle time could be extended.
  const { cookie } = await gate.plant('app', { accessTokens: { '': { value: 'due', expiresAt: 1 } } })
  looks.length = 0
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'])
    for (const headers of [
      {},
      { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'no-cors' },
      { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' },
      { 'Sec-Fetch-Site': 'same-site', Origin: 'null', 'X-CSRF': '0' },
    ]) {
      const own = `${cookie}; __Host-Http-bff-app~n=1; __Host-Http-as-session=x`
      const answer = await call(gate.url, '/open/hook', { method, headers: { Cookie: own, ...headers } })
      t.is(answer.status, 200, `${method} ${JSON.stringify(headers)}`)
      const seen = gate.upstream.seen.at(-1)
      t.like(seen?.headers, { cookie: undefined, authorization: undefined, dpop: undefined, 'x-csrf': undefined })
      const ours = Object.keys(answer.headers).filter((name) => /^(?:set-cookie|x-bff-|access-control-)/.test(name))
      t.deepEqual(ours, [])
    }
  t.is(gate.upstream.seen.length, 24)
  t.deepEqual(looks, [])
})

test('its WebSocket is not for pages of other sites: no CORS stands before it, so that they could read there', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes: [openRoute] }] })
  for (const [lines, status] of [
    [['Origin: https://shop.example'], 101],
    [[], 101],
    [['Origin: https://evil.example'], 403],
    [['Origin: null'], 403],
    [['Sec-Fetch-Site: cross-site'], 403],
  ] as const) {
    const { socket, received } = await rawConnection(gate.url)
    socket.write(
      `GET /open/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`,
    )
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (received().includes('\r\n\r\n')) resolve()
      }
      socket.on('data', look)
      socket.once('close', () => resolve())
      look()
    })
    socket.destroy()
    t.true(received().startsWith(`HTTP/1.1 ${status} `), `${lines}: ${received().slice(0, 40)}`)
  }
})
