import { once } from 'node:events'
import { createServer } from 'node:net'
import test from 'ava'
import { eventually } from '../_eventually.js'
import { call, rawCall, rawConnection } from '../gateway/_client.js'
import { forwarding } from '../gateway/_forwarding.js'
import { listening } from '../gateway/_upstream.js'
import { linesOf } from './_ways.js'

const none = () => ({ kind: 'none' }) as const

for (const options of [
  {},
  { method: 'DELETE' },
  { method: 'POST', body: 'x' },
  { method: 'POST', body: 'x'.repeat(100_000) },
  { method: 'POST', headers: { 'Content-Length': 0 } },
])
  test(`an upstream that never answers is a 504 that names the timeout: ${options.method ?? 'GET'} ${options.body?.length ?? ''}`, async (t) => {
    const upstream = await listening((request) => request.resume())
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], timeouts: { responseHeaders: 0.1 } }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const reply = await call(gateway.url, '/api', options)
    t.is(reply.status, 504)
    t.true(reply.text.includes('timeout responseHeaders'))
    await eventually(() => upstream.sockets() === 0)
  })

test('nor is an upgrade waited for any longer', async (t) => {
  const upstream = await listening(() => {})
  upstream.server.on('upgrade', (_request, socket) => socket.on('end', () => socket.destroy()).resume())
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], timeouts: { responseHeaders: 0.1 } }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const lines = ['GET /api HTTP/1.1', ...linesOf('an upgrade'), 'Connection: Upgrade']
  t.regex(await rawCall(gateway.url, `${lines.join('\r\n')}\r\n\r\n`), /^HTTP\/1\.1 504 /)
  t.deepEqual(gateway.refusals, ['bff.upstream.timeout'])
  await eventually(() => upstream.sockets() === 0)
})

test('a connection that never stands is a 504 that names the timeout', async (t) => {
  // A TLS handshake that nobody answers.
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const gateway = await forwarding({
    routes: [{ upstreams: [new URL(`https://127.0.0.1:${port}`)], timeouts: { connect: 0.1 }, retries: 0 }],
  })
  t.teardown(async () => {
    await gateway.close()
    server.close()
  })
  const reply = await call(gateway.url, '/api')
  t.is(reply.status, 504)
  t.true(reply.text.includes('timeout connect'))
})

test('an upstream that falls silent in its answer is cut off after the idle timeout, a slow one is not', async (t) => {
  const upstream = await listening((request, response) => {
    response.writeHead(200).write('begin')
    if (request.url === '/api/silent') return
    let left = 24
    const timer = setInterval(() => {
      response.write('.')
      if (--left === 0) {
        clearInterval(timer)
        response.end()
      }
    }, 50)
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], timeouts: { idle: 1 } }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  t.is((await call(gateway.url, '/api/slow')).text, `begin${'.'.repeat(24)}`)
  await t.throwsAsync(call(gateway.url, '/api/silent'), { code: 'ECONNRESET' })
  await eventually(() => upstream.sockets() <= 1)
})

test('a browser that falls silent in its upload is cut off, as its own fault', async (t) => {
  const upstream = await listening((request) => request.resume())
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url], timeouts: { idle: 0.1 } }],
    credentials: none,
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket, received } = await rawConnection(gateway.url)
  socket.write('POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx')
  await eventually(() => received().includes('bff.request.timeout'))
  t.regex(received(), /^HTTP\/1\.1 408 /)
  socket.destroy()
})

test('the total timeout holds for all attempts and the whole answer', async (t) => {
  const upstream = await listening((request, response) => {
    if (request.url === '/api/stream') setInterval(() => response.write('.'), 10).unref()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], timeouts: { total: 1 } }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const reply = await call(gateway.url, '/api')
  t.is(reply.status, 504)
  t.true(reply.text.includes('timeout total'))
  await t.throwsAsync(call(gateway.url, '/api/stream'), { code: 'ECONNRESET' })
})

test('a browser that stops reading costs a buffer, and is cut off after the idle timeout', async (t) => {
  let sent = 0
  const upstream = await listening((_request, response) => {
    const chunk = Buffer.alloc(65_536)
    const pump = (): void => {
      while (!response.destroyed && sent < 1_000_000_000) {
        sent += chunk.length
        if (!response.write(chunk)) {
          response.once('drain', pump)
          return
        }
      }
    }
    pump()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], timeouts: { idle: 0.5 } }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket } = await rawConnection(gateway.url)
  socket.write('GET /api HTTP/1.1\r\nHost: x\r\n\r\n')
  socket.pause()
  await eventually(() => sent > 0 && upstream.sockets() === 0)
  t.true(sent < 32_000_000, `${sent}`)
  socket.destroy()
})

test('an upstream that says it is not well gets nothing until it is', async (t) => {
  let well = false
  const [sick, upstream] = await Promise.all([
    listening((request, response) => {
      if (request.url === '/health') response.writeHead(well ? 204 : 500).end()
      else response.end('sick')
    }),
    listening((_request, response) => response.end('well')),
  ])
  const healthCheck = { path: '/health', interval: 0.02 }
  const gateway = await forwarding({ routes: [{ upstreams: [sick.url, upstream.url], healthCheck }] })
  t.teardown(() => Promise.all([gateway.close(), sick.close(), upstream.close()]))
  const answers = async () => new Set([(await call(gateway.url, '/api')).text, (await call(gateway.url, '/api')).text])
  upstream.server.removeAllListeners('request').on('request', (_request, response) => response.end('well'))
  let both = await answers()
  while (both.size > 1) both = await answers()
  t.deepEqual([...both], ['well'])
  well = true
  while (both.size < 2) both = await answers()
  t.pass()
})
