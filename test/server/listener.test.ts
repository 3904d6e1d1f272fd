import { once } from 'node:events'
import { Agent, type RequestListener, request } from 'node:http'
import { connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { type ListenerLimits, listenerLimitDefaults } from '../../src/http/listener-limits.js'
import { listen } from '../../src/server/listener.js'
import { eventually } from '../_eventually.js'
import { call, rawCall, rawConnection } from '../gateway/_client.js'

async function aListener(
  t: ExecutionContext,
  onRequest: RequestListener,
  limits: Partial<ListenerLimits> = {},
  isTrustedPeer = () => false,
): Promise<URL> {
  const listener = await listen({
    pointer: '/Server/Listen',
    address: { host: '127.0.0.1', port: 0 },
    onRequest,
    limits: { ...listenerLimitDefaults, ...limits },
    isTrustedPeer,
  })
  t.teardown(() => listener.drain(0))
  return new URL(listener.url)
}

const ok: RequestListener = (_request, response) => void response.end('ok')

/** Everything that is said of a refusal before any product has seen the request. */
function refuses(t: ExecutionContext, answer: string, status: number, code: string): void {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  t.regex(head, new RegExp(`^HTTP/1\\.1 ${status} `))
  t.regex(head, /^content-type: application\/problem\+json/im)
  t.regex(head, /^cache-control: no-store/im)
  t.regex(head, /^connection: close/im)
  const document = JSON.parse(body)
  t.is(document.code, code)
  t.is(document.status, status)
  t.true(head.toLowerCase().includes(`x-request-id: ${document.requestId}`))
}

const field = (bytes: number): string => `X: ${'x'.repeat(bytes)}\r\n`

for (const [what, bytes, status, code] of [
  ['what is no HTTP', 'what?\r\n\r\n', 400, 'server.request.malformed'],
  ['a request without a host', 'GET / HTTP/1.1\r\n\r\n', 400, 'server.request.malformed'],
  ['another version', 'GET / HTTP/3.0\r\nHost: x\r\n\r\n', 400, 'server.request.malformed'],
  [
    'a chunk that is none',
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n',
    400,
    'server.request.malformed',
  ],
  ['33 KB of fields', `GET / HTTP/1.1\r\nHost: x\r\n${field(33_000)}\r\n`, 431, 'server.request.header_too_large'],
  [
    '1,001 fields',
    `GET / HTTP/1.1\r\nHost: x\r\n${'a:b\r\n'.repeat(1000)}\r\n`,
    431,
    'server.request.header_too_large',
  ],
  [
    'another expectation',
    'GET / HTTP/1.1\r\nHost: x\r\nExpect: a-miracle\r\n\r\n',
    417,
    'server.request.expectation_unknown',
  ],
  ['CONNECT', 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n', 501, 'server.request.method_unsupported'],
  ['half a head', 'GET / HTTP/1.1\r\nHost: x\r\n', 408, 'server.request.timeout'],
  ['half a body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf', 408, 'server.request.timeout'],
] as const)
  test(`${what} is refused in our format: ${status}`, async (t) => {
    const url = await aListener(t, (incoming) => void incoming.resume().on('error', () => {}), {
      headTimeout: 0.4,
      clientTimeout: 0.4,
    })
    refuses(t, await rawCall(url, bytes), status, code)
  })

test('a connection that was made ahead and not used ends without a word', async (t) => {
  t.is(await rawCall(await aListener(t, ok, { headTimeout: 0.2 }), ''), '')
})

test('17 KB of cookies of others are no fault', async (t) => {
  const reply = await call(await aListener(t, ok), '/', { headers: { Cookie: `a=${'x'.repeat(17_000)}` } })
  t.is(reply.status, 200)
})

test('an idle connection is kept for longer than a balancer keeps it: 75 seconds', async (t) => {
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const sent = request(await aListener(t, ok), { agent }).end()
  const [response] = await once(sent, 'response')
  t.is(response.resume().headers['keep-alive'], 'timeout=75')
})

test('an upload that is slow but never pauses is none of our business', async (t) => {
  const url = await aListener(t, (incoming, response) => void incoming.resume().on('end', () => response.end('all')), {
    headTimeout: 0.3,
    clientTimeout: 0.5,
  })
  const sent = request(url, { method: 'POST', agent: false, headers: { 'Content-Length': 15 } })
  let left = 15
  const timer = setInterval(() => (left-- > 0 ? sent.write('x') : clearInterval(timer)), 100)
  const [response] = await once(sent, 'response')
  t.is(response.resume().statusCode, 200)
  sent.end()
})

test('an answer that takes longer than a client may is waited for', async (t) => {
  const url = await aListener(t, (_incoming, response) => void setTimeout(() => response.end('late'), 700), {
    clientTimeout: 0.2,
  })
  t.is((await call(url, '/')).text, 'late')
})

test('a client that does not take its answer is cut off, be it done or still being made', async (t) => {
  const url = await aListener(
    t,
    (incoming, response) => {
      if (incoming.url === '/done') response.end(Buffer.alloc(16_777_216))
      else response.write(Buffer.alloc(16_777_216))
    },
    { clientTimeout: 0.3 },
  )
  for (const path of ['/done', '/more']) {
    const { socket } = await rawConnection(url)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await once(socket, 'data')
    socket.pause()
    await new Promise<void>((resolve) => {
      // Only writing tells one that does not read.
      const timer = setInterval(() => socket.write('x'), 50)
      socket.once('close', () => {
        clearInterval(timer)
        resolve()
      })
    })
  }
  t.pass()
})

test('a body that goes on behind its answer has five seconds', async (t) => {
  const url = await aListener(t, ok)
  const started = performance.now()
  const answer = await rawCall(url, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')
  t.regex(answer, /^HTTP\/1\.1 200 /)
  t.true(performance.now() - started < 20_000)
})

test('a few pipelined requests are served, one at a time and in order', async (t) => {
  let atOnce = 0
  let most = 0
  const url = await aListener(t, (incoming, response) => {
    most = Math.max(most, ++atOnce)
    setImmediate(() => {
      atOnce--
      response.end(`<${incoming.url}>`)
    })
  })
  const requests = Array.from({ length: 30 }, (_, index) => `GET /${index} HTTP/1.1\r\nHost: x\r\n\r\n`)
  const answer = await rawCall(url, requests.join(''), (received) => received.includes('</29>'))
  t.deepEqual(
    [...answer.matchAll(/<\/(\d+)>/g)].map(([, index]) => Number(index)),
    Array.from({ length: 30 }, (_, index) => index),
  )
  t.is(most, 1)
})

test('one who pipelines thousands is refused, and begins one request', async (t) => {
  let begun = 0
  const url = await aListener(t, (_incoming, response) => {
    begun++
    setImmediate(() => response.end('ok'))
  })
  const { socket, received } = await rawConnection(url)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(100_000))
  await eventually(() => received().includes('}'))
  t.regex(received(), /^HTTP\/1\.1 200 /)
  refuses(t, received().slice(received().indexOf('HTTP/1.1 429')), 429, 'server.request.pipelined')
  t.is(begun, 1)
  // With bytes of it unread it is a reset, in the end.
  await new Promise((resolve) => socket.once('close', resolve))
})

test('an address has so many connections, and a proxy of ours as many as it likes', async (t) => {
  for (const isTrusted of [false, true]) {
    const url = await aListener(t, ok, { connectionsPerAddress: 3 }, () => isTrusted)
    const sockets = Array.from({ length: 5 }, () => connect(Number(url.port), url.hostname).on('error', () => {}))
    const open = () => sockets.filter(({ closed, destroyed }) => !closed && !destroyed).length
    for (const socket of sockets) socket.resume()
    await Promise.all(sockets.map((socket) => socket.connecting && once(socket, 'connect')))
    if (isTrusted) {
      t.is((await call(url, '/')).status, 200)
      t.is(open(), 5)
    } else {
      await eventually(() => open() === 3)
      const [first, ...others] = sockets.filter(({ closed, destroyed }) => !closed && !destroyed)
      first?.destroy()
      let status = 0
      while (status === 0)
        status = await call(url, '/').then(
          (reply) => reply.status,
          () => 0,
        )
      t.is(status, 200, 'one that leaves makes room')
      for (const socket of others) socket.destroy()
    }
    for (const socket of sockets) socket.destroy()
  }
})

test('all together have so many', async (t) => {
  const url = await aListener(t, ok, { connections: 2 })
  const sockets = Array.from({ length: 4 }, () =>
    connect(Number(url.port), url.hostname)
      .on('error', () => {})
      .resume(),
  )
  await eventually(() => sockets.filter(({ closed }) => closed).length === 2)
  for (const socket of sockets) socket.destroy()
  t.pass()
})
