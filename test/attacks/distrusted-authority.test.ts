import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect as connectBelow, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import test from 'ava'
import { listen } from '../../src/server/listener.js'
import { anAuthority, type Certificate, selfSigned } from '../http/_self-signed.js'

/* An authority that is no longer trusted: who holds a certificate of it cannot keep its trust by a connection begun before. */

const asBytes = ({ cert, key }: Certificate) => ({ cert: Buffer.from(cert), key: Buffer.from(key) })
const request = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n'

/** The client's side of a connection that keeps back what it sends after its first packet. */
class Held extends Duplex {
  #below: Socket
  #kept: Buffer[] | undefined = []
  #isFirst = true

  constructor(below: Socket) {
    super()
    this.#below = below
    below.on('data', (chunk) => this.push(chunk)).on('close', () => this.destroy())
    below.on('error', () => {})
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    if (this.#isFirst || this.#kept === undefined) this.#below.write(chunk)
    else {
      this.#kept.push(chunk)
      this.emit('held')
    }
    this.#isFirst = false
    done()
  }

  letGo(): void {
    for (const chunk of this.#kept ?? []) this.#below.write(chunk)
    this.#kept = undefined
  }
}

/** By an end or by a reset. */
const closed = (socket: TLSSocket) =>
  socket.closed || new Promise<void>((resolve) => socket.once('close', () => resolve()))

test('no connection keeps the trust in an authority beyond the answers that are under way', async (t) => {
  const [server, authority, next] = await Promise.all([selfSigned(), anAuthority(), anAuthority()])
  const certificate = await authority.issue()
  const waiting: ServerResponse[] = []
  const listener = await listen({
    pointer: '/Server/Listen',
    address: { host: '127.0.0.1', port: 0 },
    tls: [asBytes(server)],
    clientCertificates: { authorities: Buffer.from(authority.cert) },
    onRequest: (asked, response) => {
      asked.resume()
      waiting.push(response)
    },
  })
  t.teardown(() => listener.drain(0))
  const port = Number(new URL(listener.url).port)
  const answers = new Map<TLSSocket, string>()
  const begin = (more: ConnectionOptions = { port, host: '127.0.0.1' }): TLSSocket => {
    const socket = connect({ ...more, rejectUnauthorized: false, ...certificate })
    answers.set(socket, '')
    socket.on('data', (chunk) => answers.set(socket, `${answers.get(socket)}${chunk}`)).on('error', () => {})
    return socket
  }
  const [unused, halfHead, halfBody, complete] = [begin(), begin(), begin(), begin()]
  await Promise.all([unused, halfHead, halfBody, complete].map((socket) => once(socket, 'secureConnect')))
  halfHead.write(request.slice(0, 30))
  halfBody.write(`${request}1`)
  complete.write(`${request}12`)
  const below = new Held(connectBelow(port, '127.0.0.1'))
  const handshake = begin({ socket: below })
  await once(below, 'held')
  while (waiting.length < 2) await new Promise(setImmediate)

  listener.secure([asBytes(server)], { authorities: Buffer.from(next.cert) })
  listener.reconnect()
  below.letGo()
  for (const socket of [unused, handshake]) if (socket.writable) socket.write(`${request}12`)
  for (const response of waiting) response.end('trusted')
  await Promise.all([...answers.keys()].map(closed))
  for (const socket of [unused, halfHead, halfBody, handshake]) t.is(answers.get(socket), '')
  t.regex(answers.get(complete) ?? '', /^HTTP\/1\.1 200 OK\r\n[\s\S]*Connection: close\r\n[\s\S]*trusted$/)
  t.is(waiting.length, 2)
})
