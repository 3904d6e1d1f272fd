import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { eventually } from '../_eventually.js'
import { call, rawCall } from '../gateway/_client.js'
import { ownPage } from '../gateway/_planted.js'
import { recordingUpstream } from '../gateway/_upstream.js'
import { aGate, type Gate, publicOrigin } from './_gate.js'
import { answered, linesOf } from './_ways.js'

/** An API, byte by byte: it is told of every request on a connection, and which one it is there. */
async function byHand(
  t: ExecutionContext,
  answer: (socket: Socket, count: number, head: string) => void,
): Promise<{ readonly url: URL; readonly proofs: string[]; connections(): number }> {
  const proofs: string[] = []
  let connections = 0
  const server = createServer((socket) => {
    let count = 0
    connections++
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        const head = String(chunk)
        proofs.push(/^dpop: (.*)$/im.exec(head)?.[1] ?? '')
        answer(socket, ++count, head)
      })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  return { url: new URL(`http://127.0.0.1:${port}`), proofs, connections: () => connections }
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

async function before(t: ExecutionContext, url: URL): Promise<readonly [Gate, Record<string, string>]> {
  const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [url] }] }] })
  const { cookie } = await gate.plant()
  return [gate, { ...ownPage, Cookie: cookie }]
}

for (const method of ['GET', 'HEAD'])
  for (const how of ['destroy', 'resetAndDestroy', 'end'] as const)
    test(`a kept connection that dies under a ${method} is not noticed, and the second attempt has its own proof: ${how} (RFC 9110 §9.2.2)`, async (t) => {
      const head = method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n' : ok
      const upstream = await byHand(t, (socket, count) => (count === 2 ? socket[how]() : void socket.write(head)))
      const [gate, headers] = await before(t, upstream.url)
      for (let round = 0; round < 6; round++)
        t.is((await call(gate.url, '/api', { method, headers })).status, 200, `${round}`)
      t.true(upstream.proofs.every((proof) => proof !== ''))
      t.is(new Set(upstream.proofs).size, upstream.proofs.length, 'no proof was sent twice')
    })

for (const [what, options] of [
  ['POST', { method: 'POST', body: 'x' }],
  ['POST without a body', { method: 'POST' }],
  ['PATCH', { method: 'PATCH', body: 'x' }],
] as const)
  test(`what may have been done is not done twice: ${what} on a kept connection that dies`, async (t) => {
    const upstream = await byHand(t, (socket, count) => (count === 2 ? socket.destroy() : void socket.write(ok)))
    const [gate, headers] = await before(t, upstream.url)
    t.is((await call(gate.url, '/api', { headers })).status, 200)
    const reply = await call(gate.url, '/api', { ...options, headers })
    t.is(reply.status, 502)
    t.true(reply.text.includes('bff.upstream.broke_off'))
    t.is(upstream.proofs.length, 2)
  })

test('an upstream that closes every connection behind its answer, without saying so, costs nobody an answer', async (t) => {
  const upstream = await byHand(t, (socket) => socket.end(ok))
  const [gate, headers] = await before(t, upstream.url)
  for (let round = 0; round < 100; round++) t.is((await call(gate.url, '/api', { headers })).status, 200)
  t.is(upstream.connections(), 100)
})

test('a fresh connection that dies under a GET is an upstream that is not well: 502, and no second time', async (t) => {
  const upstream = await byHand(t, (socket) => socket.destroy())
  const [gate, headers] = await before(t, upstream.url)
  t.is((await call(gate.url, '/api', { headers })).status, 502)
  t.is(upstream.proofs.length, 1)
})

test('connections are kept: a hundred calls, one after the other, share one', async (t) => {
  const upstream = await recordingUpstream()
  let connections = 0
  upstream.server.on('connection', () => connections++)
  const [gate, headers] = await before(t, upstream.url)
  t.teardown(upstream.close)
  for (let round = 0; round < 100; round++) t.is((await call(gate.url, '/api', { headers })).status, 200)
  t.is(connections, 1)
  await eventually(() => upstream.sockets() === 1)
})

test('an upgrade is never sent on a connection that has been used, which may have died meanwhile', async (t) => {
  const refusal = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'
  const upstream = await byHand(t, (socket, count) => (count === 2 ? socket.destroy() : void socket.write(refusal)))
  const gate = await aGate(t, { frontends: [{ routes: [{ upstreams: [upstream.url] }] }] })
  const { cookie } = await gate.plant()
  const lines = ['GET /api HTTP/1.1', ...linesOf('an upgrade'), 'Connection: Upgrade', `Origin: ${publicOrigin}`]
  const upgrade = (): Promise<string> =>
    rawCall(gate.url, `${[...lines, `Cookie: ${cookie}`].join('\r\n')}\r\n\r\n`, answered)
  for (let round = 0; round < 3; round++)
    for (const answer of await Promise.all([upgrade(), upgrade(), upgrade()])) t.regex(answer, /^HTTP\/1\.1 403 /)
  t.is(upstream.connections(), 9)
})
