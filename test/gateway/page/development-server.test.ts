import { once } from 'node:events'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../../_eventually.js'
import { aGate } from '../../attacks/_gate.js'
import { call, rawCall, rawConnection } from '../_client.js'
import { listening, recordingUpstream } from '../_upstream.js'

/** A gateway before a development server. */
async function aPageOf(t: ExecutionContext, developmentServer: URL): Promise<URL> {
  const { url } = await aGate(t, { frontends: [{ routes: [], developmentServer }] })
  return url
}

async function aDevelopmentServer(t: ExecutionContext, listener: RequestListener) {
  const server = await listening(listener)
  t.teardown(server.close)
  return { ...server, page: await aPageOf(t, server.url) }
}

/** One that answers with bytes. */
async function aRawServer(t: ExecutionContext, onRequest: (socket: Socket) => void): Promise<URL> {
  const server = createServer((socket) => {
    socket.on('error', () => {}).once('data', () => onRequest(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  return aPageOf(t, new URL(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`))
}

const ours = ['Host: shop.example', 'X-CSRF: 1', 'Sec-Fetch-Site: same-origin']
const head = (method: string, path: string, ...lines: string[]): string =>
  `${[`${method} ${path} HTTP/1.1`, ...ours, ...lines].join('\r\n')}\r\n\r\n`
const finished = (received: string): boolean => /\r\n\r\n/.test(received.replace(/^HTTP\/1\.1 100[\s\S]*?\r\n\r\n/, ''))
const inner = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'
const chunked = `${inner.length.toString(16)}\r\n${inner}\r\n0\r\n\r\n`

for (const method of ['DELETE', 'OPTIONS', 'POST', 'PATCH']) {
  for (const expect of [[], ['Expect: 100-continue']]) {
    test(`a body keeps its framing on the way to a development server: ${method} ${expect.join('')}`, async (t) => {
      const vite = await recordingUpstream()
      t.teardown(vite.close)
      const page = await aPageOf(t, vite.url)
      const received = await rawCall(
        page,
        head(method, '/a', 'Transfer-Encoding: chunked', ...expect) + chunked,
        finished,
      )
      t.is(received.startsWith('HTTP/1.1 100 '), expect.length > 0)
      await rawCall(page, head(method, '/b', `Content-Length: ${inner.length}`, ...expect) + inner, finished)
      await rawCall(page, head(method, '/c'), finished)
      t.deepEqual(
        vite.seen.map(({ url, headers, body }) => [
          url,
          headers['transfer-encoding'],
          headers['content-length'],
          body.toString(),
        ]),
        [
          ['/a', 'chunked', undefined, inner],
          ['/b', undefined, String(inner.length), inner],
          ['/c', undefined, undefined, ''],
        ],
      )
    })
  }
}

test('what is settled before stays so: the target as it came, no field of one connection, no name of ours', async (t) => {
  const vite = await recordingUpstream((_request, response) => {
    response.setHeader('Set-Cookie', ['__Host-Http-bff-shop=evil; Path=/; Secure', 'theme=dark'])
    response.setHeader('Proxy-Authenticate', 'Basic')
    response.end('page')
  })
  t.teardown(vite.close)
  const page = await aPageOf(t, vite.url)
  const lines = ['Connection: close, X-Hop', 'X-Hop: 1', 'TE: gzip', 'Trailer: X-T', 'Proxy-Authorization: Basic x']
  const own = ['Cookie: __Host-Http-bff-shop=secret; theme=dark', 'X-Forwarded-Proto: gopher', 'Expect: 100-continue']
  const target = '/@fs/a%2Fb/c?import&t=1&x=%20//y'
  const answer = await rawCall(page, `${head('POST', target, ...lines, ...own, 'Content-Length: 1')}x`, (text) =>
    text.endsWith('page'),
  )
  t.regex(answer, /\r\nset-cookie: theme=dark\r\n/i)
  t.notRegex(answer, /evil|proxy-authenticate/i)
  const [seen] = vite.seen
  t.is(seen?.url, target)
  t.is(seen?.headers.host, vite.url.host)
  t.is(seen?.headers.cookie, 'theme=dark')
  t.is(seen?.headers['x-forwarded-proto'], 'https')
  t.is(seen?.headers.authorization, undefined)
  for (const name of ['x-hop', 'te', 'trailer', 'proxy-authorization', 'expect'])
    t.is(seen?.headers[name], undefined, name)
})

test('one that is not up, or does not speak HTTP, is a 502, and serves again as soon as it is', async (t) => {
  const first = await listening((_request, response) => response.end('up'))
  const page = await aPageOf(t, first.url)
  t.is((await call(page, '/')).text, 'up')
  await first.close()
  for (let tries = 0; tries < 10; tries++) {
    const { status, text } = await call(page, '/')
    t.is(status, 502)
    t.regex(text, /bff\.upstream\.unreachable/)
  }
  const second = await listening((_request, response) => response.end('up again'), Number(first.url.port))
  t.teardown(second.close)
  t.is((await call(page, '/')).text, 'up again')

  for (const [bytes, code] of [
    ['SSH-2.0-OpenSSH_9.6\r\n', 'bff.upstream.invalid_response'],
    ['', 'bff.upstream.broke_off'],
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 'bff.upstream.broke_off'],
  ] as const) {
    const { status, text } = await call(await aRawServer(t, (socket) => socket.end(bytes)), '/')
    t.is(status, 502, bytes)
    t.true(text.includes(code), text)
  }
})

for (const [name, rest] of [
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\npage\r\n'],
  ['with a length', 'Content-Length: 100\r\n\r\npage'],
  ['with a trailer that never comes', 'Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n4\r\npage\r\n'],
] as const) {
  test(`a page that breaks off never looks finished: ${name}`, async (t) => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const page = await aRawServer(
        t,
        (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${rest}`, () => setImmediate(() => socket[end]())),
      )
      const received = await rawCall(page, head('GET', '/'))
      t.false(received.endsWith('0\r\n\r\n'), received)
    }
  })
}

test('a trailer beside a length ends nothing', async (t) => {
  const page = await aRawServer(t, (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nTrailer: X-T\r\nContent-Length: 4\r\n\r\npage'),
  )
  t.is((await call(page, '/')).text, 'page')
  t.is((await call(page, '/')).status, 200)
})

test('what the browser gives up is given up at the development server, before and in the middle of an answer', async (t) => {
  let answer = (_request: IncomingMessage, _response: ServerResponse): void => {}
  const { page, server, sockets } = await aDevelopmentServer(t, (request, response) => answer(request, response))
  for (const begin of [false, true]) {
    const asked = once(server, 'request')
    answer = (_request, response) => void (begin && response.write('data: 1\n\n'))
    const { socket, received } = await rawConnection(page)
    socket.write(head('GET', '/events'))
    await asked
    if (begin) await eventually(() => received().includes('data: 1'))
    t.is(sockets(), 1)
    socket.resetAndDestroy()
    await eventually(() => sockets() === 0)
  }
})

test('a large page comes whole, however slowly it is read, and a large upload goes up whole', async (t) => {
  const large = Buffer.alloc(8_000_000, 'page ')
  const { page } = await aDevelopmentServer(t, (request, response) => {
    if (request.method === 'GET') return void response.end(large)
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    request.on('end', () => response.end(String(size)))
  })
  const headers = { 'X-CSRF': '1', 'Sec-Fetch-Site': 'same-origin' }
  t.is((await call(page, '/upload', { method: 'POST', headers, body: large })).text, String(large.length))
  const { socket, received } = await rawConnection(page)
  socket.pause()
  socket.write(head('GET', '/', 'Connection: close'))
  const closed = once(socket, 'close')
  socket.resume()
  await closed
  t.is(received().slice(received().indexOf('\r\n\r\n') + 4).length, large.length)
})
