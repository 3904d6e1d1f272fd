import test from 'ava'
import { cacheDirectives, personalCacheControl } from '../../src/gateway/forwarding/cache-control.js'
import { call } from '../gateway/_client.js'
import { aClock } from '../gateway/_clock.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, publicOrigin } from './_gate.js'

/** Each lets some shared cache keep an answer that is for one person, or did so at some time. */
const permissions = [
  'Cache-Control: public, max-age=3600',
  'Cache-Control: s-maxage=3600',
  'Cache-Control: max-age=60, must-revalidate',
  'Cache-Control: private="x-a", max-age=60',
  'Cache-Control: PUBLIC',
  'Cache-Control: max-age=60, "no-store"',
  'Cache-Control: no-cache="no-store", max-age=60',
  'Cache-Control: x-no-store, public',
  'Cache-Control: max-age=60; private',
  'Cache-Control: max-age=60, community="shared"',
  'CDN-Cache-Control: max-age=3600',
  'Cloudflare-CDN-Cache-Control: max-age=3600',
  'Example-Cache-Control: max-age=3600',
  'Surrogate-Control: max-age=3600',
  'Surrogate-Key: orders',
  'Edge-Control: max-age=1h',
  'Edge-Cache-Tag: orders',
  'Cache-Tag: orders',
  'X-Accel-Expires: 3600',
  'X_Accel_Expires: 3600',
  'X-LiteSpeed-Cache-Control: public, max-age=3600',
  'X-Reverse-Proxy-TTL: 3600',
  'X-Cache-Lifetime: 3600',
  'Expires: Thu, 01 Jan 2099 00:00:00 GMT',
  'Pragma: public',
]

/** An API that answers each path with its line of `permissions`. */
async function permissive(status = 200) {
  const upstream = await webSocketUpstream(undefined, ({ url }) => {
    const line = permissions[Number(url.split('/').at(-1))]
    return `HTTP/1.1 403 Forbidden\r\n${line}\r\nContent-Length: 0\r\n\r\n`
  })
  upstream.server.removeAllListeners('request').on('request', (request, response) => {
    const [name = '', value = ''] = (permissions[Number(request.url?.split('/').at(-1))] ?? '').split(/: (.*)/s)
    response.writeHead(status, [name, value, 'ETag', '"1"'])
    response.end(request.method === 'HEAD' || status === 304 ? undefined : 'secret')
  })
  return upstream
}

/** What may stand in `Cache-Control` so that no shared cache keeps the answer, whichever rule it follows first. */
function isUnshared(field: string | undefined): boolean {
  const directives = cacheDirectives(field ?? '')
  if (directives?.has('no-store')) return true
  const isPrivate = directives?.has('private') === true && directives.get('private') === undefined
  return isPrivate && !directives?.has('public') && !directives?.has('s-maxage')
}

const forSharedCaches = /^(?!cache-control).*(?:cache|surrogate|edge|accel|ttl|expires|pragma)/

for (const [index, line] of permissions.entries()) {
  for (const tokenType of ['User', 'UserOrNone'] as const) {
    test(`no shared cache keeps a person's answer, nor our cookie beside it: ${line}, on a ${tokenType} route`, async (t) => {
      for (const [method, status] of [
        ['GET', 200],
        ['HEAD', 200],
        ['GET', 304],
        ['GET', 404],
      ] as const) {
        const clock = aClock()
        const upstream = await permissive(status)
        const gate = await aGate(t, { frontends: [{ routes: [{ tokenType }] }], upstream, gateway: { now: clock.now } })
        const { cookie } = await gate.plant()
        const headers = { cookie, 'x-csrf': '1', 'sec-fetch-site': 'same-origin' }
        clock.advance(1000)
        const sliding = await call(gate.url, `/api/${index}`, { method, headers })
        t.is(sliding.status, status)
        t.truthy(sliding.headers['set-cookie'], 'the session slides, and its cookie with it')
        t.is(sliding.headers['cache-control'], 'no-store')
        const next = await call(gate.url, `/api/${index}`, { method, headers })
        t.is(next.headers['set-cookie'], undefined)
        t.true(isUnshared(next.headers['cache-control']), next.headers['cache-control'])
        for (const reply of [sliding, next])
          t.deepEqual(
            Object.keys(reply.headers).filter((name) => forSharedCaches.test(name)),
            [],
          )
      }
    })
  }

  test(`nor one to an upgrade that the API refuses: ${line}`, async (t) => {
    const gate = await aGate(t, { upstream: await permissive() })
    const { cookie } = await gate.plant()
    const headers = {
      ...{ cookie, origin: publicOrigin, connection: 'Upgrade', upgrade: 'websocket' },
      ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    }
    const reply = await call(gate.url, `/api/${index}`, { headers })
    t.is(reply.status, 403)
    t.true(isUnshared(reply.headers['cache-control']), reply.headers['cache-control'])
    t.deepEqual(
      Object.keys(reply.headers).filter((name) => forSharedCaches.test(name)),
      [],
    )
  })
}

test('what is the same for everybody may be shared, as the API says', async (t) => {
  const gate = await aGate(t, { frontends: [{ routes: [{ tokenType: 'None' }] }], upstream: await permissive() })
  for (const [index, line] of permissions.entries()) {
    const [name = '', value] = line.split(/: (.*)/s)
    const { headers } = await call(gate.url, `/api/${index}`, { headers: { 'x-csrf': '1' } })
    if (/accel|litespeed/i.test(name)) t.is(headers[name.toLowerCase()], undefined)
    else t.is(headers[name.toLowerCase()], value)
  }
})

test("a browser's own cache keeps what it may, for this session only", async (t) => {
  const upstream = await webSocketUpstream()
  upstream.server.removeAllListeners('request').on('request', (_request, response) => {
    response.writeHead(200, { 'Cache-Control': 'max-age=60, immutable', Vary: 'Accept' }).end()
  })
  const gate = await aGate(t, { upstream })
  const { cookie } = await gate.plant()
  const ask = () => call(gate.url, '/api/orders', { headers: { cookie, 'x-csrf': '1' } })
  // The first one slides the session.
  t.is((await ask()).headers['cache-control'], 'no-store')
  const { headers } = await ask()
  t.is(headers['cache-control'], 'max-age=60, immutable, private')
  t.is(headers.vary, 'Accept, Cookie')
})

for (const [theirs, ours] of [
  [undefined, 'no-store'],
  ['', 'no-store'],
  [' , ', 'no-store'],
  ['no-store', 'no-store'],
  ['No-Store, public', 'no-store'],
  ['max-age=60', 'max-age=60, private'],
  ['max-age="60"', 'max-age="60", private'],
  ['public', 'private'],
  ['public, max-age=60', 'max-age=60, private'],
  ['private', 'private'],
  ['private="set-cookie, x-a", max-age=60', 'max-age=60, private'],
  ['no-cache="set-cookie", s-maxage=9', 'no-cache="set-cookie", private'],
  ['proxy-revalidate, must-revalidate', 'must-revalidate, private'],
  ['max-age = 60', 'no-store'],
  ['max-age=60 private', 'no-store'],
  ['private="', 'no-store'],
  ['ext="a, no-store", max-age=1', 'max-age=1, private'],
] as const) {
  test(`directives are read and not searched for: ${theirs} (RFC 9111 §5.2)`, (t) => {
    t.is(personalCacheControl(theirs), ours)
  })
}
