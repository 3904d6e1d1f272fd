import { once } from 'node:events'
import test from 'ava'
import { WebSocket } from 'ws'
import { eventually } from '../../_eventually.js'
import { linesOf } from '../../attacks/_ways.js'
import { call, rawConnection } from '../_client.js'
import { accessToken, type Forwarding, type ForwardingOptions, forwarding } from '../_forwarding.js'
import { listening } from '../_upstream.js'
import { webSocketUpstream } from '../_web-socket-upstream.js'

function opening(gateway: Forwarding, path = '/api/socket', options: object = {}): WebSocket {
  const socket = new WebSocket(`ws://${gateway.url.host}${path}`, options)
  socket.on('error', () => {})
  return socket
}

const closed = async (socket: WebSocket): Promise<[number, string]> => {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return [code, reason.toString()]
}

test('joins a WebSocket with a proof on the upgrade, messages of every size both ways', async (t) => {
  const upstream = await webSocketUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const socket = opening(gateway, '/api/socket?room=1', { headers: { Cookie: 'theme=dark' } })
  await once(socket, 'open')
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
    socket.send(Buffer.alloc(size, 7))
    const [data] = (await once(socket, 'message')) as [Buffer]
    t.is(data.length, size)
  }
  const [seen] = upstream.seen
  t.is(seen?.url, '/api/socket?room=1')
  t.is(seen?.headers.authorization, `DPoP ${accessToken}`)
  t.truthy(seen?.proof)
  t.is(seen?.headers.connection, 'Upgrade')
  socket.close(1000, 'done')
  t.deepEqual(await closed(socket), [1000, 'done'])
  await eventually(() => upstream.sockets() === 0)
})

test('the upgrade is replayed once with the nonce that the upstream wants', async (t) => {
  const refusal =
    'HTTP/1.1 401 Unauthorized\r\nDPoP-Nonce: n1\r\nWWW-Authenticate: DPoP error="use_dpop_nonce"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
  const upstream = await webSocketUpstream(undefined, ({ proof }) => (proof?.nonce === 'n1' ? undefined : refusal))
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const socket = opening(gateway)
  await once(socket, 'open')
  t.is(upstream.seen.length, 2)
  t.not(upstream.seen[0]?.proof?.jti, upstream.seen[1]?.proof?.jti)
  socket.terminate()
})

test('an upgrade that the upstream refuses arrives as its answer, well framed', async (t) => {
  const refusal =
    'HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\nKeep-Alive: timeout=5\r\nContent-Type: text/plain\r\n\r\n3\r\nno!\r\n0\r\n\r\n'
  const upstream = await webSocketUpstream(undefined, () => refusal)
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const socket = opening(gateway)
  const [, response] = await once(socket, 'unexpected-response')
  t.is(response.statusCode, 403)
  t.is(response.headers['keep-alive'], undefined)
  const [chunk] = await once(response, 'data')
  t.is(String(chunk), 'no!')
})

test('an upstream that is not there is a refusal', async (t) => {
  const upstream = await webSocketUpstream()
  await upstream.close()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(gateway.close)
  const [, response] = await once(opening(gateway), 'unexpected-response')
  t.is(response.statusCode, 502)
  t.deepEqual(gateway.refusals, ['bff.upstream.unreachable'])
})

test('when the session ends the browser is told 4401 between two frames, and the upstream goes too', async (t) => {
  const upstream = await webSocketUpstream((socket) => {
    const timer = setInterval(() => socket.send(Buffer.alloc(100_000, 1)), 1)
    socket.on('close', () => clearInterval(timer))
  })
  const ended = new AbortController()
  const gateway = await forwarding({
    routes: [{ upstreams: [upstream.url] }],
    call: { held: { signal: () => ended.signal } },
  })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const socket = opening(gateway)
  const sizes: number[] = []
  socket.on('message', (data: Buffer) => {
    sizes.push(data.length)
    if (sizes.length === 20) ended.abort()
  })
  t.deepEqual(await closed(socket), [4401, 'the session has ended'])
  t.deepEqual([...new Set(sizes)], [100_000])
  await eventually(() => upstream.sockets() === 0)
})

test('draining tells sockets 1001', async (t) => {
  const upstream = await webSocketUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const socket = opening(gateway)
  await once(socket, 'open')
  const end = closed(socket)
  await gateway.forwarder.drain(5)
  t.deepEqual(await end, [1001, 'going away'])
})

test('a browser that answers pings stays, one that is silent goes', async (t) => {
  const upstream = await webSocketUpstream()
  const routes: ForwardingOptions['routes'] = [{ upstreams: [upstream.url], webSocket: { pingInterval: 0.5 } }]
  const gateway = await forwarding({ routes })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const silent = opening(gateway, '/api', { autoPong: false })
  const lively = opening(gateway)
  let pings = 0
  lively.on('ping', () => pings++)
  t.is((await closed(silent))[0], 1006)
  await eventually(() => pings >= 4)
  t.is(lively.readyState, WebSocket.OPEN)
  lively.terminate()
})

test('a socket that vanishes at either end takes the other with it', async (t) => {
  const upstream = await webSocketUpstream()
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const first = opening(gateway)
  await once(first, 'open')
  first.terminate()
  await eventually(() => upstream.sockets() === 0)
  const second = opening(gateway)
  await once(second, 'open')
  for (const client of upstream.webSockets.clients) client.terminate()
  t.is((await closed(second))[0], 1006)
})

test('a frame that is under way when the session ends is finished first, and then the browser is told 4401', async (t) => {
  const upstream = await listening(() => {})
  let say = (_bytes: string): void => {}
  upstream.server.on('upgrade', (_request, socket) => {
    say = (bytes) => void socket.write(bytes, 'latin1')
    socket
      .on('error', () => {})
      .on('end', () => socket.destroy())
      .resume()
    say('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
  })
  const ended = new AbortController()
  const held = { signal: () => ended.signal }
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }], call: { held } })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket, received } = await rawConnection(gateway.url)
  socket.write(`${['GET /api HTTP/1.1', ...linesOf('an upgrade'), 'Connection: Upgrade'].join('\r\n')}\r\n\r\n`)
  await eventually(() => received().includes('\r\n\r\n'))
  say('\x82\x0ahello')
  await eventually(() => received().includes('hello'))
  ended.abort()
  // What has been written because of the end would be here by the time this has gone round.
  await call(gateway.url, '/elsewhere')
  t.true(received().endsWith('\x82\x0ahello'), 'nothing in the middle of a frame')
  say('world\x82\x03not')
  await eventually(() => socket.closed || socket.readableEnded)
  t.true(received().endsWith('\x82\x0ahelloworld\x88\x17\x11\x31the session has ended'))
})

test('a browser that sends a lot before its upgrade is answered is cut off', async (t) => {
  const upstream = await listening(() => {})
  upstream.server.on('upgrade', (_request, socket) => socket.on('end', () => socket.destroy()).resume())
  const gateway = await forwarding({ routes: [{ upstreams: [upstream.url] }] })
  t.teardown(() => Promise.all([gateway.close(), upstream.close()]))
  const { socket } = await rawConnection(gateway.url)
  socket.write(`${['GET /api HTTP/1.1', ...linesOf('an upgrade'), 'Connection: Upgrade'].join('\r\n')}\r\n\r\n`)
  await eventually(() => upstream.sockets() === 1)
  socket.write('x'.repeat(1_000_000))
  await eventually(() => socket.destroyed && upstream.sockets() === 0)
  t.pass()
})
