import test from 'ava'
import { call, rawCall } from '../gateway/_client.js'
import { forwarding } from '../gateway/_forwarding.js'
import { listening, recordingUpstream } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'

const forged = [
  '__Host-Http-bff-shop=evil; Path=/; Secure',
  '__host-http-bff-shop=evil; Path=/',
  '=__Host-Http-bff-shop=evil',
  ' __Host-Http-bff-shop-login-x=evil',
  'sallyport-bff-shop=evil; Path=/',
  'Sallyport-AS-session-1a2b3c4d=evil; Path=/',
  '__Host-Http-as-session-1a2b3c4d=evil; Path=/; Secure',
]

test('an upstream cannot set a cookie of ours, and can set its own', async (t) => {
  const upstream = await recordingUpstream((_request, response) => {
    response.setHeader('Set-Cookie', [...forged, 'theme=dark'])
    response.end()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  gateway.server.prependListener('request', (_request, response) =>
    response.setHeader('Set-Cookie', '__Host-Http-bff-shop=ours'),
  )
  const { headers } = await call(gateway.url, '/api')
  t.deepEqual(headers['set-cookie'], ['theme=dark', '__Host-Http-bff-shop=ours'])
})

test('nor with the answer to an upgrade', async (t) => {
  const upstream = await webSocketUpstream()
  upstream.webSockets.on('headers', (headers) =>
    headers.push(
      ...forged.map((cookie) => `Set-Cookie: ${cookie}`),
      'Set-Cookie: theme=dark',
      'DPoP-Nonce: n1',
      'Server: secret',
    ),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const upgrade =
    'GET /api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
  const answer = await rawCall(gateway.url, upgrade, (received) => received.includes('\r\n\r\n'))
  t.regex(answer, /^HTTP\/1\.1 101 /)
  t.deepEqual(answer.match(/set-cookie: .*/gi), ['set-cookie: theme=dark'])
  t.notRegex(answer, /n1|secret/)
})

test('what an upstream says for its own origin is not said for ours', async (t) => {
  const upstream = await recordingUpstream((_request, response) => {
    response.writeHead(200, {
      'Access-Control-Allow-Origin': 'https://evil.example',
      'Access-Control-Allow-Credentials': 'true',
      'Alt-Svc': 'h3="evil.example:443"',
      'Clear-Site-Data': '"cookies"',
      'DPoP-Nonce': 'n1',
      'Service-Worker-Allowed': '/',
      'Strict-Transport-Security': 'max-age=0',
      Server: 'internal/1.0',
      'X-Powered-By': 'internal',
      'WWW-Authenticate': 'Basic realm="give me your password"',
      'X-Kept': 'yes',
    })
    response.end()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { headers } = await call(gateway.url, '/api')
  const { date: _date, connection: _connection, 'keep-alive': _keepAlive, ...rest } = headers
  t.deepEqual(rest, {
    'cache-control': 'no-store',
    'transfer-encoding': 'chunked',
    'x-content-type-options': 'nosniff',
    'x-kept': 'yes',
  })
})

test('what we say ourselves in an answer is said once, and by us', async (t) => {
  const upstream = await recordingUpstream((_request, response) => {
    response.setHeader('X-Bff-Session-Refreshed', 'forged')
    response.setHeader('X-Request-Id', 'forged')
    response.setHeader('Cache-Control', 'public, forged')
    response.setHeader('Vary', 'Accept')
    response.end()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  gateway.server.prependListener('request', (_request, response) => {
    response.setHeader('X-Bff-Session-Refreshed', 'true')
    response.setHeader('X-Request-Id', 'ours')
    response.setHeader('Cache-Control', 'no-store')
    response.setHeader('Vary', 'Origin')
  })
  const { headers, rawHeaders } = await call(gateway.url, '/api')
  t.like(headers, { 'x-bff-session-refreshed': 'true', 'x-request-id': 'ours', 'cache-control': 'no-store' })
  t.is(headers.vary, 'Accept, Origin')
  t.false(rawHeaders.some((value) => value.includes('forged')))
})

test('a challenge of the protocol passes, for a page can act on it', async (t) => {
  const challenge = 'DPoP error="insufficient_scope", scope="orders"'
  const upstream = await recordingUpstream((_request, response) =>
    response.writeHead(403, { 'WWW-Authenticate': challenge }).end(),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  t.is((await call(gateway.url, '/api')).headers['www-authenticate'], challenge)
})

for (const [theirs, ours] of [
  [undefined, 'no-store'],
  ['max-age=60', 'max-age=60, private'],
  ['public, max-age=60', 'public, max-age=60'],
  ['no-store', 'no-store'],
] as const) {
  test(`no cache shares an answer to a call with a token: ${theirs} (RFC 9111 §3.5)`, async (t) => {
    const upstream = await recordingUpstream((_request, response) => {
      if (theirs !== undefined) response.setHeader('Cache-Control', theirs)
      response.end()
    })
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    t.is((await call(gateway.url, '/api')).headers['cache-control'], ours)
  })
}

test("an upstream's redirects to itself lead through us, others where they led", async (t) => {
  let location = ''
  const upstream = await recordingUpstream((_request, response) =>
    response.writeHead(302, { Location: location }).end(),
  )
  const gateway = await forwarding({
    routes: [{ path: '/api', upstreams: [new URL('/v1', upstream.url)], stripPath: true }],
    frontend: { pathPrefix: '/admin' },
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const [theirs, ours] of [
    [`${upstream.url.origin}/v1/orders/1?x#y`, '/admin/api/orders/1?x#y'],
    ['/v1/orders/1', '/admin/api/orders/1'],
    ['/v1', '/admin/api'],
    ['orders/1', 'orders/1'],
    ['https://elsewhere.example/', 'https://elsewhere.example/'],
    ['//elsewhere.example/', '//elsewhere.example/'],
    ['/v10/secret', '/v10/secret'],
  ] as const) {
    location = theirs
    t.is((await call(gateway.url, '/admin/api/orders')).headers.location, ours)
  }
})

for (const [name, bytes, status] of [
  ['a control character in a header', 'HTTP/1.1 200 OK\r\nX-A: b\x01c\r\nContent-Length: 0\r\n\r\n', 502],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nokmore', 502],
  [
    'a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    502,
  ],
  ['not HTTP', 'SSH-2.0-OpenSSH_9\r\n', 502],
  [
    'a status that nobody asked for',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
    502,
  ],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(200_000)}`, 502],
] as const) {
  test(`an answer that cannot be passed on is 502 and leaves nothing behind: ${name}`, async (t) => {
    const upstream = await listening((request) => request.socket.write(bytes, 'latin1'))
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const reply = await call(gateway.url, '/api')
    t.is(reply.status, status)
    t.regex(reply.text, /bff\.upstream\.(invalid_response|broke_off)/)
  })
}
