import { once } from 'node:events'
import { createServer, request, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { listenerLimitDefaults } from '../../src/http/listener-limits.js'
import { type ListenerOptions, listen } from '../../src/server/listener.js'
import { expectProxyHeaders } from '../../src/server/proxy-protocol.js'
import { startProxy } from '../deploy/_in-front.js'
import { installed } from '../deploy/_manifests.js'
import { freePorts } from '../flows/_stack.js'
import { rawCall } from '../gateway/_client.js'
import { selfSigned } from '../http/_self-signed.js'
import { anOpenRoute } from './_open-route.js'
import { aProxyHeader } from './_proxy-header.js'

const withHaproxy = (await installed('haproxy')) === undefined ? test.skip : test

/** A listener that answers with who has called. */
async function aListener(t: ExecutionContext, more: Partial<ListenerOptions> = {}): Promise<URL> {
  const listener = await listen({
    pointer: '/Server/Listen',
    address: { host: '127.0.0.1', port: 0 },
    onRequest: (asked, response) => void response.end(`from ${asked.socket.remoteAddress}`),
    isTrustedPeer: (address) => address === '127.0.0.1',
    proxyProtocol: 'v2',
    ...more,
  })
  t.teardown(() => listener.drain(0))
  return new URL(listener.url)
}

/** Hands a server the connections to an address. @returns its port */
async function listeningOn(t: ExecutionContext, server: Server, host: string, port: number): Promise<number> {
  const door = createNetServer((socket) => server.emit('connection', socket)).listen(port, host)
  t.teardown(() => void door.close())
  await once(door, 'listening')
  return (door.address() as AddressInfo).port
}

const get = 'GET / HTTP/1.1\r\nHost: x\r\n'
const last = `${get}Connection: close\r\n\r\n`

test('the client that the header names has called, for each request of its connection', async (t) => {
  const on = await aListener(t)
  const answer = await rawCall(on, `${aProxyHeader().toString('latin1')}${get}\r\n${last}`)
  t.is(answer.split('from 203.0.113.9').length, 3)
})

test('header and request may come byte by byte', async (t) => {
  const on = await aListener(t)
  const socket = connect(Number(on.port), on.hostname)
  socket.setNoDelay()
  let answer = ''
  socket.setEncoding('latin1').on('data', (chunk) => (answer += chunk))
  for (const byte of Buffer.concat([aProxyHeader(), Buffer.from(last)])) {
    socket.write(Buffer.from([byte]))
    await new Promise(setImmediate)
  }
  await once(socket, 'close')
  t.regex(answer, /from 203\.0\.113\.9$/)
})

test('what the proxy asks for itself is its own', async (t) => {
  const on = await aListener(t)
  t.regex(await rawCall(on, aProxyHeader({ command: 0x20 }).toString('latin1') + last), /from 127\.0\.0\.1$/)
})

for (const [what, bytes] of [
  ['without a header', last],
  ['with one of version 1', `PROXY TCP4 203.0.113.9 192.0.2.1 49152 443\r\n${last}`],
  ['that does not name its client', aProxyHeader({ family: 0 }).toString('latin1') + last],
] as const)
  test(`a connection of a proxy ${what} is closed without an answer`, async (t) => {
    t.is(await rawCall(await aListener(t), bytes), '')
  })

test('one that says too little is closed in time, and one that ends in the middle at once', async (t) => {
  const server = createServer((_asked, response) => response.end())
  expectProxyHeaders(server, () => true, 0.05)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const begun = aProxyHeader().subarray(0, 20)
  for (const end of ['stays', 'ends'] as const) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {}).write(begun)
    if (end === 'ends') socket.end()
    else socket.resume()
    await new Promise((resolve) => socket.resume().once('close', resolve))
  }
  t.pass()
})

test('one that ends behind its header leaves nothing open', async (t) => {
  const on = await aListener(t)
  for (let round = 0; round < 20; round++) {
    const socket = connect(Number(on.port), on.hostname)
    socket.on('error', () => {}).end(aProxyHeader())
    await new Promise((resolve) => socket.resume().once('close', resolve))
  }
  t.pass()
})

test('nobody else can say who they are: their header is no request', async (t) => {
  const on = await aListener(t, { isTrustedPeer: () => false })
  t.regex(await rawCall(on, aProxyHeader().toString('latin1') + last), /^HTTP\/1\.1 400 /)
  t.regex(await rawCall(on, last), /from 127\.0\.0\.1$/)
})

test('connections are counted by client, not by proxy', async (t) => {
  const on = await aListener(t, { limits: { ...listenerLimitDefaults, connectionsPerAddress: 1 } })
  const kept = connect(Number(on.port), on.hostname)
  t.teardown(() => kept.destroy())
  kept.write(Buffer.concat([aProxyHeader(), Buffer.from(`${get}\r\n`)]))
  await once(kept, 'data')
  t.is(await rawCall(on, aProxyHeader().toString('latin1') + last), '')
  const other = aProxyHeader({ source: [203, 0, 113, 10] }).toString('latin1')
  t.regex(await rawCall(on, other + last), /from 203\.0\.113\.10$/)
})

test('TLS begins behind the header', async (t) => {
  const certificate = await selfSigned()
  const tls = [{ cert: Buffer.from(certificate.cert), key: Buffer.from(certificate.key) }]
  const on = await aListener(t, { tls })
  const ask = async (header: Buffer): Promise<string> => {
    const below = connect(Number(on.port), '127.0.0.1')
    below.write(header)
    const socket: Socket = connectTls({ socket: below, servername: 'localhost', ca: certificate.cert })
    let answer = ''
    socket.setEncoding('latin1').on('data', (chunk) => (answer += chunk))
    socket.write(last)
    await once(socket, 'close')
    return answer
  }
  const answers = await Promise.all([7, 8, 9].map((end) => ask(aProxyHeader({ source: [203, 0, 113, end] }))))
  for (const [index, answer] of answers.entries()) t.regex(answer, RegExp(`from 203\\.0\\.113\\.${index + 7}$`))
})

test('two connections from one port of a proxy, to two addresses of ours, keep their clients apart', async (t) => {
  const certificate = await selfSigned()
  const server = createTlsServer(certificate, (asked, response) => response.end(`from ${asked.socket.remoteAddress}`))
  expectProxyHeaders(server, (address) => address === '127.0.0.1')
  // Both lead to it, as one listener on all addresses does.
  const port = await listeningOn(t, server, '127.0.0.1', 0)
  await listeningOn(t, server, '127.0.0.2', port)
  const begin = async (host: string, end: number, localPort?: number) => {
    const below = connect({ host, port, localAddress: '127.0.0.1', ...(localPort !== undefined && { localPort }) })
    await once(below, 'connect')
    below.write(aProxyHeader({ source: [203, 0, 113, end] }))
    return below
  }
  const answerOn = async (below: Socket): Promise<string> => {
    const socket = connectTls({ socket: below, servername: 'localhost', ca: certificate.cert })
    let answer = ''
    socket.setEncoding('latin1').on('data', (chunk) => (answer += chunk))
    socket.on('error', () => {}).write(last)
    await once(socket, 'close')
    return answer
  }
  const first = await begin('127.0.0.1', 7)
  const second = await begin('127.0.0.2', 8, first.localPort)
  t.is(second.localPort, first.localPort)
  t.regex(await answerOn(second), /from 203\.0\.113\.8$/)
  t.regex(await answerOn(first), /from 203\.0\.113\.7$/)
})

test('a connection behind TLS whose header is not known is closed: it never has the trust of the proxy', async (t) => {
  const called: (string | undefined)[] = []
  const server = createTlsServer(await selfSigned(), (asked, response) => {
    called.push(asked.socket.remoteAddress)
    response.end()
  })
  let proxy = '127.0.0.1'
  expectProxyHeaders(server, (address) => address === proxy)
  // As it is when TLS is over.
  const door = createNetServer((socket) => server.emit('secureConnection', socket)).listen(0, '127.0.0.1')
  t.teardown(() => void door.close())
  await once(door, 'listening')
  const on = new URL(`http://127.0.0.1:${(door.address() as AddressInfo).port}`)
  t.is(await rawCall(on, last), '')
  t.deepEqual(called, [])
  proxy = '127.0.0.2'
  t.regex(await rawCall(on, last), /^HTTP\/1\.1 200 /)
  t.deepEqual(called, ['127.0.0.1'])
})

withHaproxy('behind HAProxy an API is told of the client that has called there', async (t) => {
  const [port = 0, inFront = 0] = await freePorts(2)
  const { seen } = await anOpenRoute(t, { Listen: `127.0.0.1:${port}`, ProxyProtocol: 'V2' })
  const proxy = await startProxy(
    'haproxy',
    inFront,
    () => `defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen front
  bind 127.0.0.1:${inFront}
  server one 127.0.0.1:${port} send-proxy-v2
`,
  )
  t.teardown(() => proxy?.stop())
  const sent = request({
    host: '127.0.0.1',
    port: inFront,
    localAddress: '127.0.0.2',
    path: '/open',
    headers: { Host: 'app.example.com', 'X-Forwarded-For': '198.51.100.1', Connection: 'close' },
  }).end()
  const [answer] = await once(sent, 'response')
  t.is(answer.resume().statusCode, 200)
  t.deepEqual(
    seen.map((headers) => headers['x-forwarded-for']),
    ['127.0.0.2'],
  )
})
