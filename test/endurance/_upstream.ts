import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export interface CountingUpstream {
  readonly url: string
  readonly server: Server
  /** Connections open at the moment. */
  sockets(): number
  /** Requests and upgrades whose connection or answer is open at the moment. */
  underWay(): number
  /** Takes no connections and has none. */
  goDown(): Promise<void>
  /** On the same port. */
  comeBack(): Promise<void>
  close(): Promise<void>
}

/** An upstream that counts what is open, and lets idle connections go after a second. */
export async function countingUpstream(): Promise<CountingUpstream> {
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 1000 })
  const open = new Set<Socket>()
  let underWay = 0
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
  })
  server.prependListener('request', (_request, response) => {
    underWay++
    response.once('close', () => underWay--)
  })
  server.prependListener('upgrade', (_request: IncomingMessage, socket: Duplex) => {
    underWay++
    socket.once('close', () => underWay--)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const goDown = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of open) socket.destroy()
    await closed
  }
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    sockets: () => open.size,
    underWay: () => underWay,
    goDown,
    async comeBack() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    async close() {
      if (server.listening) await goDown()
    },
  }
}
