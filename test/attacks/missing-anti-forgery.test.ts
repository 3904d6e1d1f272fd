import test from 'ava'
import type { RouteOptions, TokenType } from '../../src/gateway/route-options.js'
import { rawConnection } from '../gateway/_client.js'
import { aRoute } from '../gateway/_gateway.js'
import { aPlantedGateway, codeOf, type Planted } from '../gateway/_planted.js'
import { aGate, everyWay, passed } from './_gate.js'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const kinds: readonly TokenType[] = ['User', 'UserOrNone', 'Client', 'None']

/** Kinds of routes of which every call needs the header. */
const strictly = { requireCsrfHeader: true }

/** Every kind of route, in every frontend: as it is by default, and below `/strict` with the header for reads too. */
async function aGatewayWithEverything(t: Parameters<typeof aPlantedGateway>[0]): Promise<Planted> {
  const routes = (upstream: URL): RouteOptions[] =>
    kinds.flatMap((tokenType) => [
      aRoute({ path: `/${tokenType.toLowerCase()}`, tokenType, upstreams: [upstream] }),
      aRoute({ path: `/strict/${tokenType.toLowerCase()}`, tokenType, upstreams: [upstream], ...strictly }),
    ])
  const api = new URL('http://127.0.0.1:9')
  return aPlantedGateway(t, {
    frontends: [
      { name: 'app', routes: routes(api) },
      { name: 'admin', pathPrefix: '/admin', routes: routes(api) },
      { name: 'dev', pathPrefix: '/dev', cors: { origins: ['http://localhost:5173'] }, routes: routes(api) },
    ],
  })
}

/** What a page of another site can make a browser send. */
const forgeries: readonly (readonly [string, Record<string, string>])[] = [
  ['no header', {}],
  ['no header, as browsers say it', { 'Sec-Fetch-Site': 'same-origin' }],
  ['another value', { 'X-CSRF': '0', 'Sec-Fetch-Site': 'same-origin' }],
  ['an address typed by nobody', { 'Sec-Fetch-Site': 'none', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' }],
  ['another site', { 'X-CSRF': '1', 'Sec-Fetch-Site': 'cross-site' }],
  ['a sibling of our site', { 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-site' }],
  ['another origin', { 'X-CSRF': '1', Origin: 'https://evil.example' }],
  ['an origin that hides', { 'X-CSRF': '1', Origin: 'null' }],
  [
    'another origin that claims to be ours',
    { 'X-CSRF': '1', Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
  ],
]

/** Of these, what a browser says of a page's own requests: they may read. */
const ownReadings = new Set(['no header, as browsers say it', 'another value'])

const frontends = [
  ['app', ''],
  ['admin', '/admin'],
  ['dev', '/dev'],
] as const

test('every kind of strict route refuses a forged call: kinds × methods × frontends × forgeries', async (t) => {
  const world = await aGatewayWithEverything(t)
  let calls = 0
  for (const [name, prefix] of frontends) {
    const { cookie } = await world.plant(name)
    for (const kind of kinds) {
      for (const method of methods) {
        for (const [what, headers] of forgeries) {
          const answer = await world.call(`${prefix}/strict/${kind.toLowerCase()}/x`, {
            method,
            headers: { Cookie: cookie, ...headers },
          })
          t.is(answer.status, 403, `${name} ${kind} ${method}: ${what}`)
          calls += 1
        }
      }
    }
  }
  t.is(calls, 3 * kinds.length * methods.length * forgeries.length)
})

test('by default every kind of route with a token refuses the same, but what the page itself reads', async (t) => {
  const world = await aGatewayWithEverything(t)
  for (const [name, prefix] of frontends) {
    const { cookie } = await world.plant(name)
    for (const kind of kinds.filter((kind) => kind !== 'None'))
      for (const method of methods)
        for (const [what, headers] of forgeries) {
          const path = `${prefix}/${kind.toLowerCase()}/x`
          const { status } = await world.call(path, { method, headers: { Cookie: cookie, ...headers } })
          const isOwnReading = ['GET', 'HEAD'].includes(method) && ownReadings.has(what)
          t.is(status === 403, !isOwnReading, `${name} ${kind} ${method}: ${what}`)
        }
  }
})

test('every endpoint that changes something refuses a forged call', async (t) => {
  const world = await aGatewayWithEverything(t)
  for (const [name, prefix] of frontends) {
    const { cookie, id } = await world.plant(name)
    for (const [method, path] of [
      ['POST', 'logout'],
      ['DELETE', 'sessions'],
      ['DELETE', 'sessions/abc'],
      ['PUT', 'user'],
      ['PATCH', 'sessions'],
    ] as const) {
      for (const [what, headers] of forgeries) {
        const answer = await world.call(`${prefix}/bff/${path}`, { method, headers: { Cookie: cookie, ...headers } })
        t.is(answer.status, 403, `${name} ${method} ${path}: ${what}`)
      }
    }
    t.truthy(await world.sessionsOf(name).open(id), 'the session is as it was')
  }
})

test('a WebSocket handshake is refused unless its origin is ours', async (t) => {
  const world = await aGatewayWithEverything(t)
  const { cookie } = await world.plant('app')
  for (const [origin, status] of [
    ['https://evil.example', 403],
    ['null', 403],
    [undefined, 403],
    ['http://localhost:5173', 403],
  ] as const) {
    const { socket, received } = await rawConnection(new URL(world.on.url))
    socket.write(
      `GET /user/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: ${cookie}\r\n${origin ? `Origin: ${origin}\r\n` : ''}\r\n`,
    )
    await new Promise((resolve) => socket.once('close', resolve))
    t.true(received().startsWith(`HTTP/1.1 ${status} `), `${origin}: ${received().slice(0, 40)}`)
  }
})

test('an SPA at its own origin may call its own frontend, and no other one', async (t) => {
  const world = await aGatewayWithEverything(t)
  const headers = { 'X-CSRF': '1', Origin: 'http://localhost:5173', 'Sec-Fetch-Site': 'same-site' }
  t.not((await world.call('/dev/user/x', { headers })).status, 403)
  t.is(codeOf(await world.call('/user/x', { headers })), 'bff.csrf.cross_site')
})

test('with Expect, and for WebSockets on every kind of strict route, a forged call is refused before the upstream hears of it', async (t) => {
  const routes = kinds.map((tokenType) => ({ path: `/${tokenType.toLowerCase()}`, tokenType, ...strictly }))
  const gate = await aGate(t, {
    frontends: [
      { name: 'app', routes },
      { name: 'admin', pathPrefix: '/admin', routes },
      { name: 'dev', pathPrefix: '/dev', cors: { origins: ['http://localhost:5173'] }, routes },
    ],
  })
  // The header alone is not what a page of another site can send: it stands here for a preflight that went wrong.
  const forged = forgeries.map(([what, headers]) => ({
    what,
    lines: Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  }))
  for (const [name, prefix] of frontends) {
    const { cookie } = await gate.plant(name)
    for (const kind of kinds)
      for (const { what, lines } of forged)
        await everyWay(
          gate,
          { target: `${prefix}/${kind.toLowerCase()}/x`, headers: lines, cookie, page: 'unknown' },
          ({ way, status, code, answer }) => {
            t.is(status, 403, `${way} ${name} ${kind}: ${what}`)
            t.regex(code ?? '', /^bff\.csrf\./)
            t.false(answer.includes('100 Continue'))
          },
        )
  }
  t.is(gate.connections(), 0)
})

test('what makes a call our own cannot be taken away or put in twice', async (t) => {
  const gate = await aGate(t)
  const { cookie } = await gate.plant()
  for (const headers of [
    ['X-CSRF: 1, 1'],
    ['X-CSRF: 1', 'X-CSRF: 1'],
    ['X_CSRF: 1'],
    ['X-CSRF : 1'],
    ['X-CSRF: true'],
    ['X-CSRF: 01'],
    ['X-CSRF: 1;'],
  ])
    await everyWay(gate, { headers, cookie, page: 'unknown' }, ({ way, status, seen }) => {
      t.true([400, 403].includes(status), `${way} ${headers}: ${status}`)
      t.deepEqual(seen, [])
    })
  // Whether the browser names them as headers of its connection changes nothing.
  const connection = 'X-CSRF, Origin, Sec-Fetch-Site, Cookie'
  await everyWay(gate, { connection, cookie }, ({ way, status }) => t.is(status, passed(way), way))
  await everyWay(
    gate,
    { connection, cookie, page: 'unknown', headers: ['X-CSRF: 1', 'Origin: https://evil.example'] },
    ({ way, status }) => t.is(status, 403, way),
  )
})
