import test from 'ava'
import { rawCall } from '../gateway/_client.js'
import { forwarding } from '../gateway/_forwarding.js'
import { recordingUpstream } from '../gateway/_upstream.js'
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
