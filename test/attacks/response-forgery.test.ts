import test from 'ava'
import { call, rawCall } from '../gateway/_client.js'
import { forwarding, requestId } from '../gateway/_forwarding.js'
import { listening, recordingUpstream } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, publicOrigin } from './_gate.js'

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
    'cross-origin-resource-policy': 'same-origin',
    'transfer-encoding': 'chunked',
    // The frontend's own, not the one of the upstream.
    'strict-transport-security': 'max-age=31536000',
    'x-content-type-options': 'nosniff',
    'x-kept': 'yes',
    'x-request-id': requestId,
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

for (const challenge of [
  'Basic realm="give me your password"',
  'DPoP error="invalid_token", Basic realm="x"',
  'Bearer, Negotiate',
  'bearer realm="a, b" , NTLM abc==',
  'DPoP error="x, Basic realm=y',
  ', Digest realm="x"',
]) {
  test(`a challenge for a password does not pass, alone or among others: ${challenge}`, async (t) => {
    const upstream = await recordingUpstream((_request, response) =>
      response.writeHead(401, { 'WWW-Authenticate': challenge }).end(),
    )
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const { status, headers } = await call(gateway.url, '/api')
    t.is(status, 401)
    t.is(headers['www-authenticate'], challenge.startsWith('DPoP error="x, ') ? challenge : undefined)
  })
}

/** Fields by which an API would give orders to the proxy in front of us, or speak for more than its own answer. */
const orders = [
  ...['X-Accel-Redirect', 'X-Accel-Buffering', 'X-Accel-Limit-Rate', 'X-Accel-Charset', 'X_Accel_Redirect'],
  ...['X-Sendfile', 'X-SENDFILE-TEMPORARY', 'X-Sendfile2', 'X-Lighttpd-Send-File', 'X-LIGHTTPD-send-tempfile'],
  ...[
    'X-LiteSpeed-Location',
    'X-LiteSpeed-Purge',
    'X-Reproxy-URL',
    'X-REPROXY-FILE',
    'X-Envoy-Immediate-Health-Check-Fail',
  ],
  ...['Alt-Svc', 'Strict-Transport-Security', 'Public-Key-Pins-Report-Only', 'Expect-CT', 'Clear-Site-Data'],
  ...['NEL', 'Report-To', 'Reporting-Endpoints', 'Service-Worker-Allowed', 'Accept-CH', 'Critical-CH', 'Set-Login'],
  ...['Origin-Agent-Cluster', 'Set-Cookie2', 'Sec-Session-Registration', 'Use-As-Dictionary'],
  ...['Access-Control-Allow-Origin', 'DPoP-Nonce', 'X-Bff-Session-Refreshed', 'Server', 'X-Powered-By'],
]
/** What an answer says of itself. */
const ordinary = [
  ...[
    'Content-Language',
    'Content-Disposition',
    'ETag',
    'Last-Modified',
    'Link',
    'Retry-After',
    'Deprecation',
    'Sunset',
  ],
  ...[
    'Content-Security-Policy',
    'X-Frame-Options',
    'Referrer-Policy',
    'Permissions-Policy',
    'Cross-Origin-Resource-Policy',
  ],
  ...['Server-Timing', 'X-Total-Count', 'X-Correlation-Id', 'RateLimit-Remaining', 'X-Cache', 'Cache-Status', 'Allow'],
  ...[
    'Accept-Ranges',
    'Accept-Patch',
    'Idempotency-Key',
    'OData-Version',
    'X-Robots-Tag',
    'Preference-Applied',
    'SourceMap',
  ],
]

test('orders do not pass, in the head or in trailers, on any kind of route; what an answer says of itself does', async (t) => {
  const upstream = await webSocketUpstream(undefined, () => {
    const lines = [...orders, ...ordinary].map((name) => `${name}: said\r\n`)
    return `HTTP/1.1 403 Forbidden\r\n${lines.join('')}Content-Length: 0\r\n\r\n`
  })
  upstream.server.removeAllListeners('request').on('request', (_request, response) => {
    const inTrailers = orders.filter((name) => /^x-/i.test(name))
    for (const name of [...orders, ...ordinary]) response.setHeader(name, 'said')
    response.setHeader('Trailer', [...inTrailers, 'X-Checksum'].join(', '))
    response.write('body')
    response.addTrailers([...inTrailers, 'X-Checksum'].map((name): [string, string] => [name, 'said']))
    response.end()
  })
  for (const tokenType of ['User', 'UserOrNone', 'Client', 'None'] as const) {
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], tokenType }] })
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
    for (const headers of [{}, { ...upgrade, 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }]) {
      const { rawHeaders, trailers } = await call(gateway.url, '/api', { headers })
      const said = rawHeaders.filter((_, index) => rawHeaders[index + 1] === 'said')
      t.deepEqual(said.sort(), [...ordinary].sort())
      t.deepEqual(trailers, 'upgrade' in headers ? {} : { 'x-checksum': 'said' })
    }
    await gateway.close()
  }
  await upstream.close()
})

for (const [first, second] of [
  ['Location: /a', 'Location: https://evil.example/'],
  ['Content-Type: text/plain', 'Content-Type: text/html'],
  ['Content-Disposition: attachment', 'Content-Disposition: inline'],
  ['Content-Location: /a', 'content-location: /b'],
  ['ETag: "1"', 'ETag: "2"'],
  ['Content-Range: bytes 0-0/1', 'Content-Range: bytes 0-1/2'],
] as const) {
  test(`of two that cannot both hold neither does: ${first}, ${second} (RFC 9110 §5.3)`, async (t) => {
    const answers = [
      `HTTP/1.1 302 Found\r\n${first}\r\n${second}\r\nContent-Length: 0\r\n\r\n`,
      `HTTP/1.1 302 Found\r\n${first}\r\n${first}\r\nContent-Length: 0\r\n\r\n`,
    ]
    const upstream = await listening((request) =>
      request.socket.write(answers[Number(request.url === '/api/same')] ?? ''),
    )
    upstream.server.on('upgrade', (_request, socket) => socket.end(answers[0]))
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket' }
    for (const headers of [{}, upgrade]) {
      const reply = await call(gateway.url, '/api', { headers })
      t.is(reply.status, 502)
      t.true(reply.headers.upgrade !== undefined || headers === upgrade || reply.text.includes('invalid_response'))
    }
    const once = await call(gateway.url, '/api/same')
    t.is(once.status, 302)
    t.is(once.rawHeaders.filter((name) => name.toLowerCase() === first.split(':')[0]?.toLowerCase()).length, 1)
  })
}

test('two fields that make one list are one: Connection, Cache-Control, Trailer', async (t) => {
  const fields = ['Connection: keep-alive', 'Connection: X-Hop', 'X-Hop: 1', 'Cache-Control: max-age=60']
  const more = ['Cache-Control: public', 'Vary: Accept', 'Vary: Origin', 'X-Kept: 1', 'constructor: x', '__proto__: y']
  const head = [...fields, ...more].map((line) => `${line}\r\n`).join('')
  const upstream = await listening((request) =>
    request.socket.write(`HTTP/1.1 200 OK\r\n${head}Content-Length: 0\r\n\r\n`),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { status, headers } = await call(gateway.url, '/api')
  t.is(status, 200)
  t.like(headers, { 'x-hop': undefined, 'x-kept': '1', 'cache-control': 'max-age=60, private' })
  t.is(headers.vary, 'Accept, Origin, Cookie')
})

for (const second of [
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
]) {
  test(`an upgrade that is refused has one answer, whatever comes behind it: ${second.slice(9, 12)}`, async (t) => {
    const upstream = await listening((_request, response) => response.end())
    upstream.server.on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n${second}`),
    )
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const upgrade =
      'GET /api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    const answer = await rawCall(gateway.url, upgrade)
    t.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 403'])
  })
}

for (const [location, expected] of [
  ['/v1/\xe6\x97\xa5?q=\xc3\xa9', '/admin/api/%E6%97%A5?q=%C3%A9'],
  ['/v1/caf\xe9', '/admin/api/caf%E9'],
  ['\xe6\x97\xa5', '%E6%97%A5'],
  ['https://elsewhere.example/\xe6\x97\xa5', 'https://elsewhere.example/%E6%97%A5'],
  ['/v1/%E6%97%A5/\xe6\x97\xa5', '/admin/api/%E6%97%A5/%E6%97%A5'],
] as const) {
  test(`a redirect leads to the bytes that the API wrote: ${expected}`, async (t) => {
    const upstream = await listening((request) =>
      request.socket.write(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`, 'latin1'),
    )
    const gateway = await forwarding({
      routes: [{ path: '/api', upstreams: [new URL('/v1', upstream.url)], stripPath: true }],
      frontend: { pathPrefix: '/admin' },
    })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    t.is((await call(gateway.url, '/admin/api')).headers.location, expected)
  })
}

for (const [theirs, ours] of [
  ['a=1; Path=/v1', 'a=1; Path=/admin/api'],
  ['a=1; path=/v1/orders; HttpOnly', 'a=1; Path=/admin/api/orders; HttpOnly'],
  ['a=1; Path=/v1/', 'a=1; Path=/admin/api'],
  ['a=1; Path=/', 'a=1; Path=/'],
  ['a=1; Path=/v10', 'a=1; Path=/v10'],
  ['a=1', 'a=1'],
  ['a=1; Path', 'a=1; Path='],
  ['a=1; Domain=shop.example; Secure', 'a=1; Secure'],
  ['a=1;DOMAIN=.example ;Path=/v1;Domain=', 'a=1; Path=/admin/api'],
  ['a=Path=/v1; Max-Age=1', 'a=Path=/v1; Max-Age=1'],
  ['__Host-a=1; Path=/; Secure', '__Host-a=1; Path=/; Secure'],
] as const) {
  test(`a cookie of the API's comes back to it, from this host only: ${theirs}`, async (t) => {
    const upstream = await webSocketUpstream()
    upstream.server.removeAllListeners('request').on('request', (_request, response) => {
      response.setHeader('Set-Cookie', theirs)
      response.end()
    })
    upstream.webSockets.on('headers', (headers) => headers.push(`Set-Cookie: ${theirs}`))
    const gateway = await forwarding({
      routes: [{ path: '/api', upstreams: [new URL('/v1', upstream.url)], stripPath: true }],
      frontend: { pathPrefix: '/admin' },
    })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    t.deepEqual((await call(gateway.url, '/admin/api')).headers['set-cookie'], [ours])
    const upgrade =
      'GET /admin/api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
    const answer = await rawCall(gateway.url, upgrade, (received) => received.includes('\r\n\r\n'))
    t.deepEqual(answer.match(/(?<=set-cookie: ).*/gi), [ours])
  })
}

test("a frontend's cookies stay below it, also where the upstream has the whole host", async (t) => {
  const upstream = await recordingUpstream((_request, response) => {
    response.setHeader('Set-Cookie', ['a=1; Path=/', 'b=1; Path=/orders', '__host-c=1; Path=/; Secure'])
    response.end()
  })
  const gateway = await forwarding({
    routes: [{ path: '/api', upstreams: [upstream.url], stripPath: true }],
    frontend: { pathPrefix: '/admin' },
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { headers } = await call(gateway.url, '/admin/api')
  const expected = ['a=1; Path=/admin/api', 'b=1; Path=/admin/api/orders', '__host-c=1; Path=/; Secure']
  t.deepEqual(headers['set-cookie'], expected)
})

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

for (const [theirs, ours] of [
  [
    'X-Total-Count, Link',
    'X-Total-Count, Link, X-Request-Id, X-Bff-Session-Refreshed, Retry-After, RateLimit, RateLimit-Policy',
  ],
  [
    'etag,set-cookie, DPoP-Nonce, X-Accel-Expires',
    'etag, X-Request-Id, X-Bff-Session-Refreshed, Retry-After, RateLimit, RateLimit-Policy',
  ],
  ['*', 'x-total-count, link, X-Request-Id, X-Bff-Session-Refreshed, Retry-After, RateLimit, RateLimit-Policy'],
  ['Retry-After, <script>', 'Retry-After, X-Request-Id, X-Bff-Session-Refreshed, RateLimit, RateLimit-Policy'],
  [undefined, 'X-Request-Id, X-Bff-Session-Refreshed, Retry-After, RateLimit, RateLimit-Policy'],
] as const) {
  test(`a page of ours on another host reads what the API exposes, another site nothing: ${theirs}`, async (t) => {
    const upstream = await webSocketUpstream()
    upstream.server.removeAllListeners('request').on('request', (_request, response) => {
      response.sendDate = false
      response.writeHead(200, { 'X-Total-Count': '7', Link: '<?page=2>; rel=next' })
      response.end()
    })
    upstream.server.prependListener('request', (_request, response) => {
      response.setHeader('Access-Control-Allow-Origin', 'https://evil.example')
      if (theirs !== undefined) response.setHeader('Access-Control-Expose-Headers', theirs)
    })
    const frontend = { cors: { origins: ['https://pages.example'] }, routes: [{ tokenType: 'None' as const }] }
    const gate = await aGate(t, { upstream, frontends: [frontend] })
    const ask = (origin: string) => call(gate.url, '/api/orders', { headers: { origin, 'x-csrf': '1' } })
    const { headers } = await ask('https://pages.example')
    t.is(headers['access-control-allow-origin'], 'https://pages.example')
    const exposed = String(headers['access-control-expose-headers']).split(', ')
    t.deepEqual(
      exposed.filter((name) => !/^(?:connection|keep-alive|transfer-encoding|content-length)$/.test(name)),
      ours.split(', '),
    )
    const own = await ask(publicOrigin)
    t.is(own.headers['access-control-expose-headers'], undefined)
    const evil = await ask('https://evil.example')
    t.is(evil.headers['access-control-allow-origin'], undefined)
    t.is(evil.headers['access-control-allow-credentials'], undefined)
  })
}
