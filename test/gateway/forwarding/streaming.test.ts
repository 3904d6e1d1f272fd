import test from 'ava'
import { eventually } from '../../_eventually.js'
import { call, rawCall, rawConnection } from '../_client.js'
import { accessToken, dpopCredentials, forwarding } from '../_forwarding.js'
import { demandingNonces, listening, recordingUpstream } from '../_upstream.js'

test('the first event of a stream arrives while the stream goes on, and its head even before', async (t) => {
  let say: (text: string) => void = () => {}
  const upstream = await listening((_incoming, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    say = (text) => response.write(text)
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket, received } = await rawConnection(gateway.url)
  socket.write('GET /api HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => received().includes('text/event-stream'))
  t.true(received().includes('X-Accel-Buffering: no'), 'or nginx holds events back until they fill a buffer')
  say('data: 1\n\n')
  await eventually(() => received().includes('data: 1'))
  socket.destroy()
  t.pass()
})

test('an event is there within 50 ms of being said, in the fastest of five streams', async (t) => {
  let saidAt = 0
  const upstream = await listening((_incoming, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    saidAt = performance.now()
    response.write('data: first\n\n')
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const times: number[] = []
  for (let stream = 0; stream < 5; stream++) {
    await rawCall(gateway.url, 'GET /api HTTP/1.1\r\nHost: x\r\n\r\n', (received) => received.includes('data: first'))
    times.push(performance.now() - saidAt)
  }
  t.true(Math.min(...times) < 50, `${times}`)
})

test('an event stream ends with the session, a plain answer does not', async (t) => {
  let finish: (() => unknown) | undefined
  const upstream = await listening((incoming, response) => {
    response.writeHead(200, { 'Content-Type': incoming.url === '/api/events' ? 'text/event-stream' : 'text/plain' })
    response.write('begin')
    if (incoming.url === '/api/plain') finish = () => response.end('end')
  })
  const ended = new AbortController()
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url] }],
    call: { held: { signal: () => ended.signal } },
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const plain = call(gateway.url, '/api/plain')
  const events = await rawConnection(gateway.url)
  t.teardown(() => void events.socket.destroy())
  events.socket.write('GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => events.received().includes('begin') && finish !== undefined)
  ended.abort()
  await eventually(() => events.received().endsWith('\r\n0\r\n\r\n'))
  finish?.()
  t.is((await plain).text, 'beginend')
})

test('100 Continue comes when the body is wanted, and not before a refusal (RFC 9110 §10.1.1)', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url], bodyLimit: 1000, methods: ['POST'] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const head = (method: string, length: number): string =>
    `${method} /api HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
  const { socket, received } = await rawConnection(gateway.url)
  socket.write(head('POST', 2))
  await eventually(() => received() === 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('ok')
  await eventually(() => received().includes('"body":"ok"'))
  socket.destroy()
  t.regex(await rawCall(gateway.url, head('POST', 1001), (answer) => answer.includes('too_large')), /^HTTP\/1\.1 413 /)
  t.regex(await rawCall(gateway.url, head('PUT', 2), (answer) => answer.includes('method_denied')), /^HTTP\/1\.1 405 /)
  t.is(upstream.seen.length, 1)
})

test('a body that turns out too large in the middle is a 413', async (t) => {
  const upstream = await listening((incoming) => incoming.resume())
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url], bodyLimit: 1000 }],
    credentials: () => ({ kind: 'bearer', accessToken }),
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const body = `${(2000).toString(16)}\r\n${'x'.repeat(2000)}\r\n`
  const bytes = `POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body}`
  t.regex(await rawCall(gateway.url, bytes, (answer) => answer.includes('too_large')), /^HTTP\/1\.1 413 /)
  await eventually(() => upstream.sockets() === 0)
})

test('what is left of a refused body is read within reason, so that the answer arrives and the connection goes on', async (t) => {
  const upstream = await recordingUpstream()
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url], bodyLimit: 1000 }],
    credentials: () => ({ kind: 'bearer', accessToken }),
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const size = 900_000
  const body = `${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`
  const bytes = `POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${body}GET /api HTTP/1.1\r\nHost: x\r\n\r\n`
  const answers = await rawCall(gateway.url, bytes, (received) => received.includes('"body":""'))
  t.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 413', 'HTTP/1.1 200'])
})

test('a refused body without end is not read for ever', async (t) => {
  const upstream = await listening((incoming) => incoming.resume())
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url], bodyLimit: 1000 }],
    credentials: () => ({ kind: 'bearer', accessToken }),
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket, received } = await rawConnection(gateway.url)
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  let sent = 0
  socket.write('POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
  const pump = (): void => {
    while (!socket.destroyed && socket.write(chunk)) sent += chunk.length
  }
  socket.on('drain', pump)
  pump()
  await eventually(() => socket.destroyed)
  t.true(sent < 64_000_000, `${sent}`)
  t.regex(received(), /^(HTTP\/1\.1 413 |$)/)
})

test('an answer that comes before the upload has ended is passed on', async (t) => {
  const upstream = await listening((_incoming, response) => response.writeHead(409).end('no'))
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], credentials: () => ({ kind: 'none' }) })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket, received } = await rawConnection(gateway.url)
  socket.write(`POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n${'x'.repeat(100_000)}`)
  await eventually(() => received().endsWith('no\r\n0\r\n\r\n') || received().endsWith('no'))
  t.regex(received(), /^HTTP\/1\.1 409 /)
  socket.destroy()
})

for (const [method, status, headers] of [
  ['HEAD', 200, { 'Content-Length': '5', ETag: '"1"' }],
  ['GET', 204, { ETag: '"1"' }],
  ['GET', 304, { ETag: '"1"' }],
] as const) {
  test(`an answer without a body stays one, and the connection is good for the next: ${method} ${status}`, async (t) => {
    const upstream = await listening((_incoming, response) => response.writeHead(status, headers).end())
    const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
    t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
    const bytes = `${method} /api HTTP/1.1\r\nHost: x\r\n\r\n`
    const twice = await rawCall(gateway.url, bytes + bytes, (answer) => answer.split('\r\n\r\n').length === 3)
    t.deepEqual(twice.match(/HTTP\/1\.1 \d+/g), [`HTTP/1.1 ${status}`, `HTTP/1.1 ${status}`])
    t.is(twice.match(/etag: "1"/gi)?.length, 2)
  })
}

test('a nonce that comes with any answer is used for the next call, and by other sessions', async (t) => {
  const upstream = await recordingUpstream((_incoming, response, { proof }) =>
    response.setHeader('DPoP-Nonce', 'n1').end(proof?.nonce ?? 'none'),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], credentials: dpopCredentials })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  t.is((await call(gateway.url, '/api')).text, 'none')
  t.is((await call(gateway.url, '/api')).text, 'n1')
})

test('an upstream that refuses its own nonce is asked exactly twice', async (t) => {
  const upstream = await recordingUpstream((_incoming, response) =>
    response.writeHead(401, { 'DPoP-Nonce': 'n', 'WWW-Authenticate': 'DPoP error="use_dpop_nonce"' }).end(),
  )
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  t.is((await call(gateway.url, '/api')).status, 502)
  t.is(upstream.seen.length, 2)
  t.deepEqual(gateway.refusals, ['bff.upstream.nonce_required'])
})

test('an upstream of the Baseline profile gets a bearer token and no proof', async (t) => {
  const upstream = await recordingUpstream(demandingNonces())
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url] }],
    credentials: () => ({ kind: 'bearer', accessToken }),
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  t.is((await call(gateway.url, '/api')).status, 401)
  t.is(upstream.seen[0]?.headers.authorization, `Bearer ${accessToken}`)
  t.is(upstream.seen[0]?.headers.dpop, undefined)
})

test('draining waits for what is under way, and breaks off what does not end', async (t) => {
  const upstream = await listening((incoming, response) => {
    response.write('begin')
    if (incoming.url === '/api/slow') setTimeout(() => response.end('end'), 100)
  })
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const [slow, endless] = [call(gateway.url, '/api/slow'), call(gateway.url, '/api/endless')]
  const broken = t.throwsAsync(endless, { code: 'ECONNRESET' })
  await eventually(() => upstream.sockets() === 2)
  await gateway.forwarder.drain(2)
  t.is((await slow).text, 'beginend')
  await broken
})
