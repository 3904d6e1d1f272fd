import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import test from 'ava'
import { WebSocket } from 'ws'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { eventually } from '../_eventually.js'
import { call, rawCall, rawConnection } from '../gateway/_client.js'
import { aPlantedGateway, ownPage } from '../gateway/_planted.js'
import { webSocketUpstream } from '../gateway/_web-socket-upstream.js'
import { aGate, type Gate, publicOrigin } from './_gate.js'
import { answered, linesOf } from './_ways.js'

const upgrade = (cookie: string): string =>
  `${['GET /api/socket HTTP/1.1', ...linesOf('an upgrade'), 'Connection: Upgrade', `Origin: ${publicOrigin}`, `Cookie: ${cookie}`].join('\r\n')}\r\n\r\n`

async function opened({ url }: Gate, cookie: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${url.host}/api/socket`, { headers: { Origin: publicOrigin, Cookie: cookie } })
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

const networkSocketOf = (socket: WebSocket): Socket => (socket as unknown as { readonly _socket: Socket })._socket

/** A store that can be made to wait with its answers. */
function waitingStore() {
  const memory = createMemoryStore()
  const waiting: (() => void)[] = []
  let isSlow = false
  return {
    store: {
      ...memory,
      async get(key: string) {
        if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve))
        return memory.get(key)
      },
    },
    waiting,
    slow() {
      isSlow = true
    },
    answerAll() {
      isSlow = false
      for (const resolve of waiting) resolve()
    },
  }
}

/** Resolves when the server has seen the resets, which may be later than what was sent after them. */
async function resetWhileLookedUp(url: URL, cookie: string, waiting: readonly unknown[]): Promise<void> {
  const accepted: Socket[] = []
  const noteAccepted = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket }
    if (socket.localPort === Number(url.port)) accepted.push(socket)
  }
  subscribe('net.server.socket', noteAccepted)
  const sockets: Socket[] = []
  for (let index = 0; index < 20; index++) {
    const { socket } = await rawConnection(url)
    socket.write(upgrade(cookie))
    sockets.push(socket)
  }
  await eventually(() => waiting.length === 20)
  unsubscribe('net.server.socket', noteAccepted)
  for (const socket of sockets) socket.resetAndDestroy()
  await eventually(() => accepted.length === 20 && accepted.every(({ destroyed }) => destroyed))
}

test('a browser that resets while its session is being looked up ends nothing but its own connection', async (t) => {
  const { store, waiting, slow, answerAll } = waitingStore()
  const gate = await aGate(t, { gateway: { store } })
  const { cookie } = await gate.plant()
  slow()
  await resetWhileLookedUp(gate.url, cookie, waiting)
  answerAll()
  const survivor = await opened(gate, cookie)
  survivor.send('still here')
  t.is(String((await once(survivor, 'message'))[0]), 'still here')
  survivor.terminate()
  await eventually(() => gate.upstream.sockets() <= 1)
  t.is(
    gate.upstream.seen.filter(({ url }) => url === '/api/socket').length,
    1,
    'nothing was called for those who had gone',
  )
})

test('nor does it under a server of whoever uses the gateway as a library', async (t) => {
  const { store, waiting, slow, answerAll } = waitingStore()
  const world = await aPlantedGateway(t, {
    frontends: [{ name: 'app', publicUrl: new URL(publicOrigin) }],
    gateway: { store },
  })
  const { cookie } = await world.plant()
  slow()
  await resetWhileLookedUp(new URL(world.on.url), cookie, waiting)
  answerAll()
  t.is((await world.call('/api/x', { headers: { ...ownPage, Cookie: cookie } })).status, 200)
  t.is(world.api.calls.length, 1)
})

for (const [how, leave] of [
  ['by a reset', (socket: Socket) => socket.resetAndDestroy()],
  ['by an end', (socket: Socket) => socket.end()],
  ['without a word', (socket: Socket) => socket.destroy()],
] as const) {
  test(`browsers that leave a WebSocket ${how} leave no socket at the upstream`, async (t) => {
    const gate = await aGate(t)
    const { cookie } = await gate.plant()
    const sockets = await Promise.all(Array.from({ length: 10 }, () => opened(gate, cookie)))
    t.is(gate.upstream.webSockets.clients.size, 10)
    for (const socket of sockets) leave(networkSocketOf(socket))
    await eventually(() => gate.upstream.webSockets.clients.size === 0 && gate.upstream.sockets() === 0)
    t.is((await call(gate.url, '/elsewhere')).status, 404)
  })

  test(`an upstream that leaves a WebSocket ${how} takes the browser's with it`, async (t) => {
    const upstreamSockets: Socket[] = []
    const upstream = await webSocketUpstream((socket, { socket: network }) => {
      upstreamSockets.push(network)
      socket.send('begun')
    })
    const gate = await aGate(t, { upstream })
    const { cookie } = await gate.plant()
    const sockets = await Promise.all(Array.from({ length: 10 }, () => opened(gate, cookie)))
    const closed = Promise.all(sockets.map((socket) => once(socket, 'close')))
    await eventually(() => upstreamSockets.length === 10)
    for (const socket of upstreamSockets) leave(socket)
    for (const [code] of await closed) t.is(code, 1006)
    await eventually(() => upstream.sockets() === 0)
  })
}

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

/** Does not end when the other side does, and says something now and then. */
function talkOn(socket: Socket): Socket {
  const timer = setInterval(() => socket.write('still talking'), 20)
  return socket.on('error', () => {}).on('close', () => clearInterval(timer))
}

for (const how of ['resetAndDestroy', 'end', 'destroy'] as const) {
  test(`an upstream that talks on after its browser has left is cut off: ${how}`, async (t) => {
    const upstream = await webSocketUpstream()
    upstream.server.removeAllListeners('upgrade').on('upgrade', (_request, socket: Socket) => {
      socket.write(switching)
      talkOn(socket)
    })
    const gate = await aGate(t, { upstream })
    const { cookie } = await gate.plant()
    const { socket } = await rawConnection(gate.url)
    socket.write(upgrade(cookie))
    await once(socket, 'data')
    t.is(upstream.sockets(), 1)
    socket[how]()
    await eventually(() => upstream.sockets() === 0)
  })

  test(`a browser that talks on after its upstream has left is cut off: ${how}`, async (t) => {
    const upstream = await webSocketUpstream()
    upstream.server.removeAllListeners('upgrade').on('upgrade', (_request, socket: Socket) => {
      socket.on('error', () => {}).once('data', () => socket[how]())
      socket.write(switching)
    })
    const gate = await aGate(t, { upstream })
    const { cookie } = await gate.plant()
    const browser = connect({ host: gate.url.hostname, port: Number(gate.url.port), allowHalfOpen: true })
    browser.write(upgrade(cookie))
    const closed = new Promise((resolve) => browser.once('close', resolve))
    await once(browser, 'data')
    talkOn(browser).resume()
    await closed
    await eventually(() => upstream.sockets() === 0)
    t.pass()
  })
}

test('an upstream that has ended and does not read what is still on its way holds nobody', async (t) => {
  let leave = (): void => {}
  const upstream = await webSocketUpstream()
  upstream.server.removeAllListeners('upgrade').on('upgrade', (_request, socket: Socket) => {
    socket.on('error', () => {}).pause()
    socket.write(switching)
    leave = () => socket.end()
    t.teardown(() => socket.destroy())
  })
  const gate = await aGate(t, { upstream })
  const { cookie } = await gate.plant()
  const browser = connect({ host: gate.url.hostname, port: Number(gate.url.port), allowHalfOpen: true })
  const closed = new Promise((resolve) => browser.on('error', () => {}).once('close', resolve))
  browser.write(upgrade(cookie))
  await once(browser, 'data')
  browser.resume().write(Buffer.alloc(16_777_216))
  // Until the buffers on the way are full: then nothing moves between two other exchanges.
  let left = -1
  while (left !== browser.bytesWritten - browser.writableLength) {
    left = browser.bytesWritten - browser.writableLength
    for (let round = 0; round < 20; round++) await call(gate.url, '/elsewhere')
  }
  leave()
  talkOn(browser)
  await closed
  t.pass()
})

for (const [when, answer] of [
  ['before it answers', ''],
  ['in the middle of its head', 'HTTP/1.1 101 Switching Pro'],
] as const)
  for (const how of ['resetAndDestroy', 'end'] as const)
    test(`an upgrade that the upstream breaks off ${when} is a 502: ${how}`, async (t) => {
      const upstream = await webSocketUpstream()
      upstream.server.removeAllListeners('upgrade').on('upgrade', (_request, socket: Socket) => {
        socket.on('error', () => {})
        if (answer === '') socket[how]()
        else socket.write(answer, () => socket[how]())
      })
      const gate = await aGate(t, { upstream })
      const { cookie } = await gate.plant()
      const received = await rawCall(gate.url, upgrade(cookie), answered)
      t.regex(received, /^HTTP\/1\.1 502 /)
      t.regex(received, /"code":"bff\.upstream\.(broke_off|invalid_response)"/)
      await eventually(() => upstream.sockets() === 0)
    })

test('a browser that stops reading its WebSocket holds the upstream back, and gets all of it when it reads on', async (t) => {
  const size = 1_048_576
  let sent = 0
  let acknowledged = 0
  const upstream = await webSocketUpstream((socket) => {
    const next = (): void => {
      if (++sent === 64) socket.close(1000)
      else if (sent < 64)
        socket.send(Buffer.alloc(size, sent), () => {
          acknowledged++
          next()
        })
    }
    next()
  })
  const gate = await aGate(t, { upstream })
  const { cookie } = await gate.plant()
  const socket = new WebSocket(`ws://${gate.url.host}/api/socket`, {
    headers: { Origin: publicOrigin, Cookie: cookie },
  })
  await once(socket, 'open')
  socket.pause()
  // It goes on until the buffers on the way are full: then nothing moves between two other exchanges.
  let before = -1
  while (before !== acknowledged) {
    before = acknowledged
    for (let round = 0; round < 20; round++) await call(gate.url, '/elsewhere')
  }
  t.true(acknowledged < 40, `${acknowledged} of 63`)
  let received = 0
  socket.on('message', (data: Buffer) => {
    received++
    t.is(data.length, size)
    t.is(data[0], received)
  })
  socket.resume()
  await once(socket, 'close')
  t.is(received, 63)
})

test('a connection that is reset in the middle of its handshake line is nobody', async (t) => {
  const gate = await aGate(t)
  const { cookie } = await gate.plant()
  const bytes = upgrade(cookie)
  for (let length = 1; length < bytes.length; length += 7) {
    const socket = connect({ host: gate.url.hostname, port: Number(gate.url.port) }).on('error', () => {})
    await once(socket, 'connect')
    await new Promise<void>((resolve) => socket.write(bytes.slice(0, length), () => resolve()))
    socket.resetAndDestroy()
  }
  t.is((await call(gate.url, '/elsewhere')).status, 404)
  t.is(gate.connections(), 0)
})
