import type { Socket } from 'node:net'
import test from 'ava'
import { WebSocket } from 'ws'
import { call, eventually, rawConnection } from '../gateway/_client.js'
import { forwarding } from '../gateway/_forwarding.js'
import { listening } from '../gateway/_upstream.js'

/** What an upstream does wrong, one thing per connection. */
const faults: readonly ((socket: Socket, mark: string) => void)[] = [
  (socket) => socket.resetAndDestroy(),
  (socket) => socket.end(),
  (socket) => socket.write('HTTP/1.1 200 O', () => socket.resetAndDestroy()),
  (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', () => socket.resetAndDestroy()),
  (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nmore than two', () => socket.end()),
  (socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\npart', () => socket.end()),
  (socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
  (socket) =>
    socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n', () => socket.end()),
  (socket) => socket.write('\0\0\0\0garbage\r\n\r\n'),
  () => {},
  (socket, mark) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${mark.length}\r\n\r\n${mark}`),
  (socket, mark) =>
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Length: ${mark.length}\r\n\r\n${mark}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray`,
    ),
]

test('an upstream that does everything wrong: no crash, no answer for somebody else, nothing left open', async (t) => {
  let turn = 0
  const upstream = await listening(() => {})
  upstream.server.removeAllListeners('request')
  upstream.server.on('request', (incoming) => {
    // Unread, it would not notice that the other end has gone.
    incoming.on('error', () => {}).resume()
    faults[turn++ % faults.length]?.(incoming.socket, String(incoming.headers['x-mark']))
  })
  upstream.server.on('upgrade', ({ headers }, socket: Socket) => {
    socket
      .on('error', () => {})
      .on('end', () => socket.destroy())
      .resume()
    faults[turn++ % faults.length]?.(socket, String(headers['x-mark']))
  })
  const gateway = await forwarding({
    routes: [
      {
        upstreams: [upstream.url],
        timeouts: { connect: 0.2, responseHeaders: 0.2, idle: 0.2 },
        circuitBreaker: { failures: Number.POSITIVE_INFINITY },
      },
    ],
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const uncaught: unknown[] = []
  const remember = (error: unknown): void => void uncaught.push(error)
  process.on('uncaughtExceptionMonitor', remember)

  const outcomes = new Map<string, number>()
  const one = async (index: number): Promise<void> => {
    const mark = `mark-${index}`
    const kind = index % 5
    if (kind === 4) {
      const socket = new WebSocket(`ws://${gateway.url.host}/api`, { headers: { 'X-Mark': mark } })
      await new Promise((resolve) =>
        socket
          .on('error', resolve)
          .on('close', resolve)
          .on('open', () => socket.terminate()),
      )
      return
    }
    if (kind === 3) {
      const { socket } = await rawConnection(gateway.url)
      socket.write(`GET /api HTTP/1.1\r\nHost: x\r\nX-Mark: ${mark}\r\n\r\n`)
      setTimeout(() => socket.resetAndDestroy(), index % 7)
      return
    }
    const options = kind === 0 ? {} : { method: 'POST', body: 'x'.repeat(kind * 50_000) }
    const reply = await call(gateway.url, '/api', { ...options, headers: { 'X-Mark': mark } }).catch(() => undefined)
    const outcome = reply === undefined ? 'broken off' : String(reply.status)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (reply?.status === 200) t.true([mark, 'mo'].includes(reply.text), reply.text)
    else if (reply !== undefined) t.regex(reply.text, /"code":"bff\.upstream\./)
  }
  for (let round = 0; round < 12; round++)
    await Promise.all(Array.from({ length: 40 }, (_, index) => one(round * 40 + index)))

  process.off('uncaughtExceptionMonitor', remember)
  t.deepEqual(uncaught, [])
  for (const outcome of outcomes.keys()) t.true(['200', '502', '504', 'broken off'].includes(outcome), outcome)
  t.true((outcomes.get('200') ?? 0) > 0)
  await gateway.forwarder.drain(2)
  gateway.forwarder.close()
  await eventually(() => upstream.sockets() === 0)
})

test('hundreds of requests and sockets that are broken off leave no connection, no exchange and no listener', async (t) => {
  const upstream = await listening((incoming, response) => {
    if (incoming.url === '/api/begun') response.write('begin')
  })
  upstream.server.on('upgrade', (_incoming, socket: Socket) =>
    socket
      .on('error', () => {})
      .on('end', () => socket.destroy())
      .resume(),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
  const one = async (index: number): Promise<void> => {
    const { socket } = await rawConnection(gateway.url)
    socket.write(
      `GET /api/${index % 2 === 0 ? 'begun' : 'silent'} HTTP/1.1\r\nHost: x\r\n${index % 3 === 0 ? upgrade : ''}\r\n`,
    )
    await new Promise((resolve) => setTimeout(resolve, index % 4))
    if (index % 5 === 0) socket.destroy()
    else socket.resetAndDestroy()
  }
  for (let round = 0; round < 8; round++) await Promise.all(Array.from({ length: 50 }, (_, index) => one(index)))
  const started = performance.now()
  await gateway.forwarder.drain(10)
  t.true(performance.now() - started < 9000, 'nothing was left to break off')
  gateway.forwarder.close()
  await eventually(() => upstream.sockets() === 0)
})
