import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'

/** What a TLS client offers. */
export interface ClientHello {
  /** Cipher suites, by their numbers in the IANA registry. */
  readonly suites: readonly number[]
  readonly versions: readonly number[]
}

export interface HelloListener {
  /** An `https` origin that reads a ClientHello and hangs up. */
  readonly origin: string
  readonly hellos: readonly ClientHello[]
  close(): Promise<void>
}

export async function listenForHellos(): Promise<HelloListener> {
  const hellos: ClientHello[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let received = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      if (received.length < 5 || received.length < 5 + received.readUInt16BE(3)) return
      hellos.push(parse(received))
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hellos,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

/** RFC 8446 §4.1.2, in one record. */
function parse(record: Buffer): ClientHello {
  // Record header 5, handshake header 4, legacy version 2, random 32.
  let at = 43
  at += 1 + record.readUInt8(at)
  const suitesEnd = at + 2 + record.readUInt16BE(at)
  const suites: number[] = []
  for (at += 2; at < suitesEnd; at += 2) suites.push(record.readUInt16BE(at))
  at += 1 + record.readUInt8(at)
  const end = at + 2 + record.readUInt16BE(at)
  const versions: number[] = []
  at += 2
  while (at < end) {
    const type = record.readUInt16BE(at)
    const length = record.readUInt16BE(at + 2)
    // supported_versions, RFC 8446 §4.2.1.
    if (type === 43) for (let i = at + 5; i < at + 4 + length; i += 2) versions.push(record.readUInt16BE(i))
    at += 4 + length
  }
  return { suites, versions }
}
