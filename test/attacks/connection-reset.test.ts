import { once } from 'node:events'
import { request } from 'node:http'
import { createServer, type Socket } from 'node:net'
import test from 'ava'
import { eventually } from '../_eventually.js'
import { call, rawCall, rawConnection } from '../gateway/_client.js'
import { accessToken, forwarding } from '../gateway/_forwarding.js'
import { listening } from '../gateway/_upstream.js'

const upgrade =
  'GET /api HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

test('a browser that resets before the upgrade is answered takes the upstream with it, not the process', async (t) => {
  const upstream = await listening(() => {})
  // Of requests that have arrived: a connection that had not stood yet when the browser left is kept for the next.
  let held = 0
  upstream.server.on('upgrade', (_request, socket) => {
    held++
    socket.on('end', () => socket.destroy()).on('close', () => held--)
    socket.resume()
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (let round = 0; round < 20; round++) {
    const { socket } = await rawConnection(gateway.url)
    socket.write(upgrade)
    if (round % 2 === 0) await eventually(() => held > 0)
    socket.resetAndDestroy()
    await eventually(() => held === 0)
  }
  t.is((await call(gateway.url, '/elsewhere')).status, 404)
})

for (const [name, start] of [
  ['before the answer', () => {}],
  ['in the middle of the answer', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok')],
  [
    'in the middle of an event stream',
    (socket: Socket) =>
      socket.write(
        'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
      ),
  ],
] as const) {
  test(`a browser that goes away takes the request at the upstream with it: ${name} (node-http-proxy issue 1586)`, async (t) => {
    let asked = 0
    const upstream = await listening((incoming) => {
      asked++
      start(incoming.socket)
    })
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    for (const end of ['reset', 'destroy', 'end'] as const) {
      const { socket, received } = await rawConnection(gateway.url)
      const before = asked
      socket.write('GET /api HTTP/1.1\r\nHost: x\r\n\r\n')
      await eventually(() => asked > before && (name === 'before the answer' || received().includes('ok')))
      if (end === 'reset') socket.resetAndDestroy()
      else socket.destroy()
      await eventually(() => upstream.sockets() === 0)
    }
    t.deepEqual(gateway.refusals, [])
  })
}

test('a browser that goes away in the middle of its upload takes the upload with it', async (t) => {
  let received = 0
  const upstream = await listening((incoming) => {
    incoming.on('data', (chunk: Buffer) => {
      received += chunk.length
    })
    incoming.on('error', () => {})
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], credentials: () => ({ kind: 'none' }) })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket } = await rawConnection(gateway.url)
  socket.write(`POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(1000)}`)
  await eventually(() => received === 1000)
  socket.resetAndDestroy()
  await eventually(() => upstream.sockets() === 0)
  t.pass()
})

for (const [name, bytes, end] of [
  ['by a reset in a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok', 'reset'],
  ['by an end in a body of known length', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nok', 'end'],
  ['by a reset between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n', 'reset'],
  ['by an end without the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n', 'end'],
  ['by an end in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok', 'end'],
  ['by garbage between chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n', 'stay'],
] as const) {
  test(`an answer that breaks off never looks finished, and breaks off at once: ${name}`, async (t) => {
    let reset = (): void => {}
    const upstream = await listening(({ socket }) => {
      if (end === 'reset') reset = () => socket.resetAndDestroy()
      socket.write(bytes, () => {
        if (end === 'end') socket.end()
      })
    })
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const sent = request({ host: gateway.url.hostname, port: gateway.url.port, path: '/api', agent: false }).end()
    const [response] = await once(sent, 'response')
    reset()
    const [error] = await Promise.race([once(response, 'error'), once(response.resume(), 'end').then(() => ['ended'])])
    t.is((error as NodeJS.ErrnoException).code, 'ECONNRESET')
    t.false(response.complete)
  })
}

test('what came before an answer broke off arrives, even if it came with the end', async (t) => {
  // As much as one read of a socket takes: then its end is read in the same turn.
  const whole = `HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n`.padEnd(65_536, 'x')
  const upstream = await listening((incoming) => incoming.socket.end(whole))
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (let round = 0; round < 20; round++) {
    const answer = await rawCall(gateway.url, 'GET /api HTTP/1.1\r\nHost: x\r\n\r\n')
    t.is(answer.slice(answer.indexOf('\r\n\r\n')).length, whole.slice(whole.indexOf('\r\n\r\n')).length)
  }
})

for (const method of ['GET', 'POST'] as const) {
  test(`an upstream that ends without an answer is a 502, and POST is not repeated: ${method}`, async (t) => {
    let asked = 0
    const upstream = await listening(({ socket }) => {
      asked++
      socket.destroy()
    })
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const reply = await call(gateway.url, '/api', { method, body: method === 'POST' ? 'x' : '' })
    t.is(reply.status, 502)
    t.true(reply.text.includes('bff.upstream.broke_off'))
    t.is(asked, 1)
  })
}

test('a kept connection that the upstream has closed is not noticed by a GET, which has a new proof (RFC 9110 §9.2.2)', async (t) => {
  const proofs: string[] = []
  // Answers once per connection, and closes it when the second request arrives: as if it had timed out just then.
  const server = createServer((socket) => {
    let asked = 0
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        const [, dpop = ''] = /^dpop: (.*)$/im.exec(String(chunk)) ?? []
        proofs.push(dpop)
        if (++asked === 2) socket.destroy()
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const gateway = await forwarding({ routes: [{ upstreams: [new URL(`http://127.0.0.1:${port}`)] }] })
  t.teardown(async () => {
    await gateway.close()
    server.close()
  })
  t.is((await call(gateway.url, '/api')).status, 200)
  t.is((await call(gateway.url, '/api')).status, 200)
  t.is(proofs.length, 3)
  t.is(new Set(proofs).size, 3)
  const post = await call(gateway.url, '/api', { method: 'POST', body: 'x' })
  t.is(post.status, 502)
  t.is(proofs.length, 4)
})

test('an upstream that cannot be reached is replaced for an idempotent call, each attempt with its own proof', async (t) => {
  const dead = await listening(() => {})
  await dead.close()
  const upstream = await listening((incoming, response) => response.end(incoming.headers.authorization))
  const gateway = await forwarding({ routes: [{ upstreams: [dead.url, upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  for (const method of ['GET', 'PUT', 'GET', 'DELETE']) {
    const reply = await call(gateway.url, '/api', { method, body: method === 'PUT' ? 'x' : '' })
    t.is(reply.text, `DPoP ${accessToken}`)
  }
  t.deepEqual(gateway.refusals, [])
  const statuses = []
  for (let turn = 0; turn < 2; turn++)
    statuses.push((await call(gateway.url, '/api', { method: 'POST', body: 'x' })).status)
  t.deepEqual(statuses.sort(), [200, 502])
})
