import test from 'ava'
import { rawCall } from '../gateway/_client.js'
import { forwarding } from '../gateway/_forwarding.js'
import { recordingUpstream } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, everyWay, passed } from './_gate.js'
import { eachWay } from './_ways.js'

for (const target of [
  '/api/../admin',
  '/api/./admin',
  '/api/..',
  '/api/%2e%2e/admin',
  '/api/%2E%2e/admin',
  '/api/.%2e/admin',
  '/api/..%2fadmin',
  '/api/..%5cadmin',
  '/api/%2e%2e%2fadmin',
  '/api/%252e%252e/admin',
  '/api/%25252e%25252e%25252fadmin',
  '/api/..;/admin',
  '/api/..;x=1/admin',
  '/api/%2e%2e;/admin',
  '/api/..%3bx/admin',
  '/api\\..\\admin',
  '/api/x\\y',
  '/api/x%5cy',
  '/api/%00',
  '/api/x%0d%0aEvil:1',
  '/api/x%7f',
  '/api/%',
  '/api/%zz',
  '/api#/../admin',
  '//evil.example/api',
  '//api/orders',
  '/\\evil.example/api',
  'http://evil.example/api',
  'https://evil.example:443/api',
  'http://shop.example@evil.example/api',
  'http:/api',
  'ftp://shop.example/api',
  'shop.example/api',
  '*',
  '/api/\u00fc',
  '/api/"x"',
  '/api/<x>',
  '/api?x=\u00fc',
  '/api?x#/admin',
  '/api?#',
  '/api?x=\x7f',
]) {
  test(`a target with two meanings is refused before anything is decided: ${target} (Pomerium CVE-2021-39206)`, async (t) => {
    await eachWay(t, { target }, ({ way, seen, answer }) => {
      t.regex(answer, /^HTTP\/1\.1 400 /, way)
      t.is(seen, undefined, way)
    })
  })
}

for (const [target, arrives] of [
  ['/api/%6frders', '/api/orders'],
  ['/%61pi/orders', '/api/orders'],
  ['/api/a%2fb', '/api/a%2Fb'],
  ['/api/a%252Fb', '/api/a%252Fb'],
  ['/api//orders', '/api//orders'],
  ['/api/orders;v=1', '/api/orders;v=1'],
  ['/api/...', '/api/...'],
  ['/api/.well-known', '/api/.well-known'],
  ['/api/a%3Fb?c=%2e%2e/&d=http://evil.example/', '/api/a%3Fb?c=%2e%2e/&d=http://evil.example/'],
  ['/api/a|b^c[d]', '/api/a%7Cb%5Ec%5Bd%5D'],
  ['/api?', '/api'],
  ["/api?a='b'&c={d}", '/api?a=%27b%27&c={d}'],
  ['http://shop.example/api/orders', '/api/orders'],
]) {
  test(`a target with one meaning arrives, and the proof is for it: ${target}`, async (t) => {
    await eachWay(t, { target: target ?? '' }, ({ way, seen }) => {
      t.is(seen?.url, arrives, way)
      t.truthy(seen?.proof, way)
    })
  })
}

test('neither query nor fragment takes part in choosing a route (oauth2-proxy GHSA-7rh7-c77v-6434)', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({ routes: [{ path: '/public', upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const [target, status] of [
    ['/private?x=/public', 404],
    ['/private%23/public', 404],
    ['/public#/../private', 400],
    ['/private%3f/public', 404],
    ['/publican', 404],
    ['/public%2fx', 404],
    ['/public', 200],
  ] as const)
    t.regex(
      await rawCall(gateway.url, `GET ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n`),
      new RegExp(`^HTTP/1.1 ${status} `),
      target,
    )
})

test('a path that a lenient server reads as another route is refused', async (t) => {
  const [shop, admin] = [await recordingUpstream(), await recordingUpstream()]
  const gateway = await forwarding({
    routes: [
      { path: '/api', upstreams: [shop.url] },
      { path: '/api/admin', upstreams: [admin.url], methods: ['GET'] },
    ],
  })
  t.teardown(() => Promise.all([gateway.close(), shop.close(), admin.close()]))
  const status = async (target: string) =>
    Number(
      (
        await rawCall(
          gateway.url,
          `POST ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
        )
      ).slice(9, 12),
    )
  t.is(await status('/api/admin/x'), 405)
  for (const target of [
    '/api%2fadmin',
    '/api/Admin/x',
    '/api//admin',
    '/api/admin%2fx',
    '/api/admin%3bx',
    '/api/%2561dmin',
    '/api/ADMIN%2f',
    '/api/;/admin',
    '/api/admin;x',
  ])
    t.true([400, 404].includes(await status(target)), target)
  t.deepEqual([shop.seen.length, admin.seen.length], [0, 0])
  t.is(await status('/api/administrators'), 200)
})

/** How Windows, IIS, Java, PHP and decoders of every kind may come to `/api/admin`. */
const admin = `
  /api%2Fadmin /api/Admin /api//admin /api/admin%2Fx /api/admin;x /api/admin%3Bx=1/y /api/;/admin /api/%2561dmin
  /api/admin%20 /api/admin%20%20/x /api/%20admin /api/admin+ /api/admin%09 /api/admin%C2%A0 /api/admin%E3%80%80
  /api/admin. /api/admin... /api/admin./x /api/admin%2E%20. /api/admin%3F /api/admin%3Fa=1 /api/admin%23 /api/admin%2523x
  /api/admin%253F/y /api/admin:$DATA /api/admin::$DATA /api/admin:x/y /api/admin%3A%24DATA /api/:/admin
  /api/%EF%BC%8Fadmin /api%EF%BC%8Fadmin /api%E2%88%95admin /api%E2%81%84admin /api%EF%BC%BCadmin /api/%EF%BD%81dmin
  /api/%EF%BC%A1DMIN /api/%F0%9D%90%9Admin /api/a%C2%ADdmin /api/admin%E2%80%8B /api/%EF%BB%BFadmin /api/%C3%A1dmin
  /api/adm%C4%B1n /api/adm%C4%B0n /api/ad%FFmin /api/admin%FF /api/admin%C0 /api%C0%AFadmin /api%E0%80%AFadmin
  /api%F0%80%80%AFadmin /api/%C1%A1dmin /api%25C0%25AFadmin /api/admin%2500 /api/admin%C0%80x /api/admin%250A /api/ad%25E2%2580%258Bmin
  /api/%2520admin /api/.%20/admin /api/%E2%80%A4/admin
`
  .trim()
  .split(/\s+/)

for (const target of admin) {
  test(`no anonymous call of an open route is one of a protected route for the server behind: ${target}`, async (t) => {
    const gate = await aGate(t, {
      frontends: [{ routes: [{ tokenType: 'None' }, { path: '/api/admin', tokenType: 'User' }] }],
    })
    await everyWay(gate, { method: 'DELETE', target }, ({ way, status, code, seen }) => {
      t.true(status === 400 || status === 401 || status === 404, `${way} ${status}`)
      t.true(
        status === 404 || code === 'bff.request.ambiguous_target' || code === 'bff.session.absent',
        `${way} ${code}`,
      )
      t.deepEqual(seen, [])
    })
  })
}

test('nor one of another frontend on the same host', async (t) => {
  const upstream = await webSocketUpstream()
  const gate = await aGate(t, {
    upstream,
    frontends: [
      { name: 'open', routes: [{ path: '/', tokenType: 'None' }] },
      { name: 'admin', pathPrefix: '/admin', routes: [{ path: '/', tokenType: 'User' }] },
    ],
  })
  for (const target of [
    '/Admin/x',
    '/admin%20/x',
    '/admin./x',
    '/admin%2Fx',
    '/%61dmin%3F',
    '/admin;a/x',
    '/%EF%BD%81dmin/x',
  ])
    await everyWay(gate, { target }, ({ way, code, seen }) => {
      t.is(code, 'bff.request.ambiguous_target', `${way} ${target}`)
      t.deepEqual(seen, [])
    })
  await everyWay(gate, { target: '/administrators/X' }, ({ way, status }) => t.is(status, passed(way)))
})

/** Addresses of real applications. */
const legitimate = `
  /api/users/a@b.example /api/files/My%20File.pdf /api/files/My%20File%20(1).pdf /api/x/a.b. /api/time/12:30 /api/time/12%3A30
  /api/cars;color=red;doors=4 /api/map/a=1,b=2 /api/Orders(1) /api/Orders('A%20B') /api/Orders(1)/$value /api/$metadata /api/$batch
  /api/a[b] /api/%E6%97%A5%E6%9C%AC/%C3%A9t%C3%A9 /api/@scope%2Fpkg /api/@scope/pkg/-/pkg-1.0.0.tgz /api/caf%E9 /api/a%2Bb /api/a+b
  /api/v1.0/Things /api/orders:batchGet /api/urn:isbn:0451450523 /api/q%3F /api/C%23 /api/50%25 /api/50%2525 /api/.well-known/x
  /api/~user /api/* /api/a!b /api/https://example.com/x /api/e%CC%81 /api/%F0%9F%98%80 /api/... /api/a%20 /api/a. /api/3F2504E0-4F89
  /api/eyJhbGciOiJub25lIn0.e30. /api/a&b=c /api/10.0.0.1 /api/x/Admin /api/adminx /api/administrators /api/admin-x /api/2026-11-26T12:30:00Z
`
  .trim()
  .split(/\s+/)

test('addresses of real applications arrive beside a protected route', async (t) => {
  const gate = await aGate(t, {
    frontends: [{ routes: [{ tokenType: 'None' }, { path: '/api/admin', tokenType: 'User' }] }],
  })
  for (const target of legitimate)
    await everyWay(gate, { target }, ({ way, status, seen }) => {
      t.is(status, passed(way), `${way} ${target}`)
      t.is(seen.length, 1)
    })
})

test('whatever the path, only the configured origin and its base path are called (CVE-2021-21322)', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [new URL('/v1/', upstream.url)], stripPath: true }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const [rest, arrives] of [
    ['', '/v1'],
    ['/', '/v1/'],
    ['?a=1', '/v1?a=1'],
    ['/http://evil.example/', '/v1/http://evil.example/'],
    ['/@evil.example', '/v1/@evil.example'],
    [':80/x', undefined],
    ['//evil.example/', undefined],
    ['/..', undefined],
  ] as const) {
    const before = upstream.seen.length
    await rawCall(gateway.url, `GET /api${rest} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n`)
    t.is(upstream.seen[before]?.url, arrives, rest)
  }
})

test('TRACE, which would show the token, is no method of any route (RFC 9110 §9.3.8)', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const method of ['TRACE', 'TRACK']) {
    const answer = await rawCall(
      gateway.url,
      `${method} /api HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n`,
    )
    t.regex(answer, /^HTTP\/1\.1 40[05] /)
  }
  t.deepEqual(upstream.seen, [])
})
