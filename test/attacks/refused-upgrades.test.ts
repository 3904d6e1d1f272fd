import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { protectUpgrade } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { listen } from '../../src/server/listener.js'
import { eventually } from '../_eventually.js'
import { startStack } from '../flows/_stack.js'
import { aGate, publicOrigin } from './_gate.js'

/*
 * A connection that has been refused is gone soon after its answer, whatever its peer does: keep its own half open, send
 * a byte too early, send for ever, or read nothing.
 */
const webSocket = [
  'Host: shop.example',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  `Origin: ${publicOrigin}`,
].join('\r\n')

const requests: Readonly<Record<string, readonly string[]>> = {
  'a WebSocket and one early byte': [`GET /api/socket HTTP/1.1\r\n${webSocket}\r\n\r\nx`],
  'a WebSocket, and the byte later': [`GET /api/socket HTTP/1.1\r\n${webSocket}\r\n\r\n`, 'x'],
  'a POST whose body comes in a second packet': [
    `POST /api/socket HTTP/1.1\r\n${webSocket}\r\nContent-Length: 5\r\n\r\n`,
    'hello',
  ],
  'more bytes than any answer is worth': [`GET /api/socket HTTP/1.1\r\n${webSocket}\r\n\r\n`, 'x'.repeat(1_000_000)],
}

/** A peer that never ends its own side. It says what it has received when the other end is gone. */
async function stubborn(url: URL, [first, ...rest]: readonly string[]): Promise<string> {
  const socket = connect({ host: url.hostname, port: Number(url.port), allowHalfOpen: true })
  let received = ''
  socket.on('error', () => {}).on('data', (chunk) => (received += chunk))
  await once(socket, 'connect')
  socket.write(first ?? '')
  setImmediate(() => {
    for (const packet of rest) socket.write(packet)
  })
  // Half of a connection that stands goes on talking: only a reset tells that the other end has really gone.
  const timer = setInterval(() => socket.write('x'), 50)
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(timer)
  return received
}

async function allGo(t: ExecutionContext, url: URL, status: string): Promise<void> {
  for (const [what, packets] of Object.entries(requests)) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => stubborn(url, packets)))
    for (const answer of answers) t.regex(answer, new RegExp(`^(HTTP/1\\.1 ${status} |$)`), what)
    if (!what.startsWith('more')) t.false(answers.includes(''), `${what}: the answer arrives`)
  }
}

test('sockets that the gateway has refused go', async (t) => {
  const gate = await aGate(t)
  await allGo(t, gate.url, '4\\d\\d')
  t.is(gate.connections(), 0)
})

test('sockets of offers that a listener without upgrades has passed over go with the answer', async (t) => {
  const listener = await listen({
    pointer: '/Server/Listen',
    address: { host: '127.0.0.1', port: 0 },
    onRequest: (_request, response) => void response.end(),
  })
  t.teardown(() => listener.drain(0))
  await allGo(t, new URL(listener.url), '200')
})

test('sockets that the validator has refused go', async (t) => {
  const issuer = 'http://127.0.0.1:9'
  const guard = protectUpgrade(createVerifier({ issuer, audience: 'api', publicUrl: 'https://shop.example' }))
  const server = createServer().listen(0, '127.0.0.1')
  server.on('upgrade', (request, socket) => void guard(request, socket))
  await once(server, 'listening')
  await allGo(t, new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), '401')
  server.close()
  await once(server, 'close')
})

test('a drain ends when it says, whatever holds on to a socket', async (t) => {
  const upgraded: unknown[] = []
  const listener = await listen({
    pointer: '/Server/Listen',
    address: { host: '127.0.0.1', port: 0 },
    onRequest: () => {},
    onUpgrade: (_request, socket) => void upgraded.push(socket),
  })
  const { hostname, port } = new URL(listener.url)
  const sockets: Socket[] = []
  for (const bytes of [
    ...Object.values(requests).map(([first = '']) => first),
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET',
  ]) {
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }).on('error', () => {})
    await once(socket, 'connect')
    socket.write(bytes)
    sockets.push(socket)
  }
  await eventually(() => upgraded.length === 3)
  await listener.drain(0.2)
  for (const socket of sockets) socket.destroy()
  t.pass()
})

test.serial('the whole program drains within one deadline, not one per listener', async (t) => {
  t.timeout(60_000)
  const stack = await startStack({
    configure(configuration) {
      configuration.Server.DrainTimeout = '00:00:04'
    },
  })
  t.teardown(stack.stop)
  const half = 'POST /connect/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n'
  for (const { port } of [stack.gateway, stack.authorizationServer]) {
    const socket = connect({ host: '127.0.0.1', port: Number(port) }).on('error', () => {})
    await once(socket, 'connect')
    const host = `localhost:${port}`
    socket.write(`${half.replace('Host: localhost', `Host: ${host}`)}Content-Length: 9\r\n\r\na=`)
  }
  const started = performance.now()
  t.is(await stack.stop(), 0)
  const seconds = (performance.now() - started) / 1000
  t.true(seconds < 7.5, `${seconds} s`)
})
