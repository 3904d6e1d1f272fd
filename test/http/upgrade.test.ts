import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { passOverOtherUpgrades } from '../../src/http/upgrade.js'
import { rawCall } from '../gateway/_client.js'
import { selfSigned } from './_self-signed.js'

const says: RequestListener = (request, response) => {
  let bytes = 0
  request
    .on('data', (chunk: Buffer) => (bytes += chunk.length))
    .on('end', () => response.end(`${request.method} with ${bytes}`))
}

async function aServer(t: ExecutionContext, tls?: { readonly key: string; readonly cert: string }): Promise<URL> {
  const server = tls === undefined ? createServer(says) : createTlsServer(tls, says)
  passOverOtherUpgrades(server)
  server.on('checkContinue', says)
  server.on('upgrade', (_request, socket: Socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']

for (const [name, head, body, expected] of [
  ['h2c, as Java and curl offer it', ['GET / HTTP/1.1', ...offer], '', '200 GET with 0'],
  ['with a body', ['POST / HTTP/1.1', ...offer, 'Content-Length: 5'], 'hello', '200 POST with 5'],
  [
    'with chunks',
    ['PUT / HTTP/1.1', ...offer, 'Transfer-Encoding: chunked'],
    '5\r\nhello\r\n0\r\n\r\n',
    '200 PUT with 5',
  ],
  [
    'with Expect',
    ['POST / HTTP/1.1', ...offer, 'Content-Length: 5', 'Expect: 100-continue'],
    'hello',
    '200 POST with 5',
  ],
  ['TLS/1.0', ['OPTIONS / HTTP/1.1', 'Connection: upgrade', 'Upgrade: TLS/1.0'], '', '200 OPTIONS with 0'],
  ['several', ['GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: h2c, websocket'], '', '200 GET with 0'],
  ['none', ['GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade:'], '', '200 GET with 0'],
  [
    'websocket by POST',
    ['POST / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Content-Length: 5'],
    'hello',
    '200 POST with 5',
  ],
  ['websocket in HTTP/1.0', ['GET / HTTP/1.0', 'Connection: Upgrade', 'Upgrade: websocket'], '', '200 GET with 0'],
  ['websocket, which we know', ['GET / HTTP/1.1', 'Connection: Upgrade', 'Upgrade: WebSocket'], '', '101 '],
] as const) {
  test(`an upgrade that we do not know is passed over: ${name} (RFC 9110 §7.8)`, async (t) => {
    const bytes = `${head.join('\r\n')}\r\nHost: x\r\n\r\n`
    const url = await aServer(t)
    t.true(tidy(await rawCall(url, bytes + body)).endsWith(expected), 'in one packet')
    const tls = await selfSigned()
    const secure = await aServer(t, tls)
    const socket = connectTls({ host: '127.0.0.1', port: Number(secure.port), rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    let answer = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk))
    socket.write(bytes)
    if (body !== '') setImmediate(() => socket.write(body))
    await once(socket, 'close')
    t.true(tidy(answer).endsWith(expected), 'in two, over TLS')
  })
}

/** Status and text of the final answer. */
function tidy(answer: string): string {
  const [, status = '', text = ''] =
    /^HTTP\/1\.1 (\d+)[^\r]*[\s\S]*?\r\n\r\n([\s\S]*)$/.exec(answer.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '')) ??
    []
  return `${status} ${text.replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/gi, '')}`
}

test('what was sent behind such a request is not lost in silence: the connection ends, and can be tried again', async (t) => {
  const url = await aServer(t)
  const answer = await rawCall(
    url,
    `${['GET / HTTP/1.1', 'Host: x', ...offer].join('\r\n')}\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n`,
  )
  t.regex(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close/)
})
