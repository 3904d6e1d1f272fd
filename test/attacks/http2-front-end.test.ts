import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import test from 'ava'
import { tlsPreset } from '../../src/http/tls.js'
import { call, rawCall, rawConnection } from '../gateway/_client.js'
import { ownPage } from '../gateway/_planted.js'
import { selfSigned } from '../http/_self-signed.js'
import { aGate, everyWay, passed, publicOrigin } from './_gate.js'

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
/** SETTINGS without any, and HEADERS of a `GET /api/orders` in HPACK's static table and literals. */
const settings = '\0\0\0\x04\0\0\0\0\0'
const headers = '\0\0\x11\x01\x05\0\0\0\x01\x82\x86\x44\x0b/api/orders\x41\0'

test('an HTTP/2 preface is refused at once, and nobody else notices', async (t) => {
  const gate = await aGate(t)
  const { cookie } = await gate.plant()
  const bystander = await rawConnection(gate.url)
  bystander.socket.write('GET /api/orders HTTP/1.1\r\nHost: shop.example\r\n')
  for (const bytes of [preface, preface + settings, preface + settings + headers, preface.repeat(3)]) {
    const answer = await rawCall(gate.url, bytes)
    t.regex(answer, /^HTTP\/1\.1 400 /)
    t.notRegex(answer.slice(9), /HTTP\/1\.1|\0/, 'one answer, and no frame')
  }
  bystander.socket.write(`X-CSRF: 1\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`)
  await once(bystander.socket, 'close')
  t.regex(bystander.received(), /^HTTP\/1\.1 200 /)
  t.is(gate.upstream.seen.length, 1)
})

test('a client that speaks nothing but HTTP/2 is told so by a closed connection', async (t) => {
  const gate = await aGate(t)
  const session = connectHttp2(gate.url)
  const [error] = await once(session, 'error')
  t.regex(String((error as NodeJS.ErrnoException).code), /^(ERR_HTTP2|ECONNRESET|EPIPE)/)
  session.destroy()
  const { cookie } = await gate.plant()
  t.is((await call(gate.url, '/api/orders', { headers: { ...ownPage, Cookie: cookie } })).status, 200)
})

/** Before Node 20.19.2 its parser takes what begins with a colon for a field without a name. */
const isLenient = process.versions.llhttp?.startsWith('8.') === true

test('pseudo-headers of HTTP/2 are no headers of HTTP/1.1', async (t) => {
  const gate = await aGate(t)
  const { cookie } = await gate.plant()
  for (const line of [':authority: evil.example', ':path: /admin', ':method: DELETE', ':scheme: https', ': x'])
    await everyWay(gate, { headers: [line], cookie }, ({ way, answer, seen }) => {
      if (isLenient) {
        const [only, ...others] = seen
        t.false(only?.rawHeaders.includes('') ?? false, `${way} ${line} goes no further`)
        t.deepEqual(others, [])
      } else {
        t.regex(answer, /^HTTP\/1\.1 400 /, `${way} ${line}`)
        t.deepEqual(seen, [])
      }
    })
})

test('an offer of HTTP/2 is passed over, with a session and without, and opens no way past the rules', async (t) => {
  const gate = await aGate(t)
  const { cookie } = await gate.plant()
  for (const protocol of ['h2c', 'H2C', 'h2', 'HTTP/2.0', 'websocket, h2c', 'h2c, websocket', 'TLS/1.2', 'foo'])
    for (const [line, expected] of [
      [`Cookie: ${cookie}`, 403],
      [`X-CSRF: 1\r\nCookie: ${cookie}`, 200],
      ['X-CSRF: 1', 401],
    ] as const) {
      const bytes = [
        'GET /api/orders HTTP/1.1',
        'Host: shop.example',
        'Connection: Upgrade, HTTP2-Settings',
        `Upgrade: ${protocol}`,
        'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
        `Origin: ${publicOrigin}`,
        line,
      ]
      const answer = await rawCall(gate.url, `${bytes.join('\r\n')}\r\n\r\n${preface}`)
      t.regex(answer, new RegExp(`^HTTP/1\\.1 ${expected} `), `${protocol} ${line}`)
      t.notRegex(answer.slice(9), /HTTP\/1\.1|\0/, 'what follows is not read as another request')
    }
  t.is(gate.upstream.seen.length, 8)
  for (const { headers } of gate.upstream.seen)
    t.like(headers, { upgrade: undefined, 'http2-settings': undefined, connection: 'keep-alive' })
  await everyWay(gate, { cookie }, ({ way, status }) => t.is(status, passed(way)))
})

test('over TLS nothing but HTTP/1.1 is agreed to (RFC 7301)', async (t) => {
  const { cert, key } = await selfSigned()
  const server = createTlsServer({ ...tlsPreset, cert, key }, (_request, response) => response.end()).listen(0)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const agreed = (ALPNProtocols: string[]) =>
    new Promise<string>((resolve) => {
      const socket = connectTls({ host: 'localhost', port, ca: cert, ALPNProtocols }, () => {
        resolve(String(socket.alpnProtocol))
        socket.destroy()
      }).on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    })
  t.is(await agreed(['h2', 'http/1.1']), 'http/1.1')
  t.regex(await agreed(['h2']), /NO_APPLICATION_PROTOCOL|ECONNRESET/)
})
