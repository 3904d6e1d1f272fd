import test from 'ava'
import { eventually } from '../_eventually.js'
import { rawCall } from '../gateway/_client.js'
import { accessToken, forwarding } from '../gateway/_forwarding.js'
import { recordingUpstream } from '../gateway/_upstream.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { linesOf } from './_ways.js'

const inner = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'
const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`
const head = (method: string, ...lines: string[]): string =>
  `${[`${method} /api HTTP/1.1`, 'Host: shop.example', ...lines].join('\r\n')}\r\n\r\n`
const finished = (received: string): boolean => /\r\n\r\n/.test(received.replace(/^HTTP\/1\.1 100[\s\S]*?\r\n\r\n/, ''))

for (const method of ['DELETE', 'OPTIONS', 'GET', 'HEAD', 'POST', 'PUT', 'PATCH']) {
  for (const expect of [[], ['Expect: 100-continue']]) {
    test(`a request in the body stays there: ${method} in chunks ${expect.join('')} (http-proxy, CVE-2026-29057)`, async (t) => {
      const upstream = await recordingUpstream()
      // Without DPoP, so that no request for a nonce goes ahead of a body of unknown length.
      const credentials = () => ({ kind: 'bearer', accessToken }) as const
      const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], credentials })
      t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
      await rawCall(gateway.url, head(method, 'Transfer-Encoding: chunked', ...expect) + chunked, finished)
      await rawCall(gateway.url, head('GET'), finished)
      t.deepEqual(
        upstream.seen.map(({ method, url }) => `${method} ${url}`),
        [`${method} /api`, 'GET /api'],
      )
      t.is(upstream.seen[0]?.body.toString(), inner)
      t.is(upstream.seen[0]?.headers['transfer-encoding'], 'chunked')
      t.is(upstream.seen[0]?.headers['content-length'], undefined)
    })
  }
}

for (const [name, lines, body] of [
  ['a length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked'], chunked],
  ['two lengths', ['Content-Length: 0', `Content-Length: ${inner.length}`], inner],
  ['a list of lengths', [`Content-Length: 0, ${inner.length}`], inner],
  ['a length with a sign', [`Content-Length: +${inner.length}`], inner],
  ['another coding', ['Transfer-Encoding: gzip, chunked'], chunked],
  ['a coding twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], chunked],
  ['a misspelt coding', ['Transfer-Encoding: xchunked'], chunked],
  ['a coding after a tab', ['Transfer-Encoding:\tchunked, identity'], chunked],
  ['a space before the colon', ['Transfer-Encoding : chunked'], chunked],
  ['a folded header', ['X: a', ' Transfer-Encoding: chunked'], chunked],
  ['a bare line feed', ['X: a\nTransfer-Encoding: chunked'], chunked],
] as const) {
  test(`framing that can be read in two ways is refused: ${name} (RFC 9112 §6.3)`, async (t) => {
    const upstream = await recordingUpstream()
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    t.regex(await rawCall(gateway.url, head('POST', ...lines) + body, finished), /^HTTP\/1\.1 400 /)
    t.deepEqual(upstream.seen, [])
  })
}

test('nor does it pass under a server whose parser is lenient: a length beside chunks, another coding', async (t) => {
  const upstream = await recordingUpstream()
  const server = { insecureHTTPParser: true }
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], server })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const lines of [
    ['Content-Length: 4', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Content-Length: 4'],
    ['Transfer-Encoding: gzip, chunked'],
  ])
    t.regex(await rawCall(gateway.url, head('POST', ...lines) + chunked, finished), /^HTTP\/1\.1 400 /, `${lines}`)
  t.deepEqual(gateway.refusals.slice(0, 2), ['bff.request.malformed', 'bff.request.malformed'])
  t.deepEqual(upstream.seen, [])
})

test('fields behind a chunked body do not become headers upstream (RFC 9110 §6.5.1)', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const trailers = '0\r\nX-Forwarded-User: mallory\r\nAuthorization: Bearer mallory\r\n\r\n'
  await rawCall(
    gateway.url,
    `${head('POST', 'Transfer-Encoding: chunked', 'Trailer: X-Forwarded-User')}2\r\nok\r\n${trailers}`,
    finished,
  )
  t.deepEqual(Object.keys(upstream.seen.at(-1)?.trailers ?? { missing: 1 }), [])
  t.is(upstream.seen.at(-1)?.headers.trailer, undefined)
  t.is(upstream.seen.at(-1)?.body.toString(), 'ok')
})

test('an upgrade with a body, or to anything but WebSocket, is refused', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const upgrade = ['Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
  for (const [method, ...lines] of [
    ['GET', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'],
    ['GET', 'Upgrade: websocket, h2c'],
    ['POST', 'Upgrade: websocket'],
    ['GET', 'Upgrade: websocket', `Content-Length: ${inner.length}`],
    ['GET', 'Upgrade: websocket', 'Transfer-Encoding: chunked'],
  ] as const)
    t.regex(await rawCall(gateway.url, head(method, ...lines, ...upgrade) + inner, finished), /^HTTP\/1\.1 400 /)
  t.deepEqual(upstream.seen, [])
})

test('an upgrade that says it has no body says so to nobody else', async (t) => {
  const upstream = await webSocketUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const lines = [...linesOf('an upgrade').slice(1), 'Connection: Upgrade', 'Content-Length: 0']
  t.regex(await rawCall(gateway.url, head('GET', ...lines), finished), /^HTTP\/1\.1 101 /)
  t.is(upstream.seen[0]?.headers['content-length'], undefined)
})

test('an upstream that did not switch protocols gets nothing of what came behind the upgrade', async (t) => {
  const upstream = await recordingUpstream()
  upstream.server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  let bytes = 0
  upstream.server.on('connection', (socket) => socket.on('close', () => (bytes = socket.bytesRead)))
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const lines = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  const answer = await rawCall(gateway.url, head('GET', ...lines) + inner.repeat(100))
  t.regex(answer, /^HTTP\/1\.1 200 OK/)
  t.true(answer.endsWith('ok'))
  await eventually(() => bytes > 0)
  t.true(bytes < inner.length * 100)
  t.deepEqual(upstream.seen, [])
})
