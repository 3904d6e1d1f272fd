import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

export interface SoakUpstream {
  readonly origin: string
  /** Every request is answered by a reset from now on, or no longer. */
  setResetting(isResetting: boolean): void
  close(): Promise<void>
}

/** An API that echoes, with event streams that tick and WebSockets that answer. It remembers nothing. */
export async function soakUpstream(): Promise<SoakUpstream> {
  let isResetting = false
  const streams = new Set<ServerResponse>()
  const ticking = setInterval(() => {
    for (const stream of streams) stream.write('data: tick\n\n')
  }, 1000)
  const server = createServer((request, response) => {
    if (isResetting) return void request.socket.resetAndDestroy()
    if (request.url === '/api/events') {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: begun\n\n')
      streams.add(response)
      response.on('close', () => streams.delete(response))
      return
    }
    let length = 0
    request.on('data', (chunk: Buffer) => (length += chunk.length))
    request.on('end', () => {
      const body = JSON.stringify({ length, padding: 'x'.repeat(2000) })
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body)
    })
  })
  const webSockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined)
    if (isResetting) return void socket.destroy()
    webSockets.handleUpgrade(request, socket, head, (accepted) =>
      accepted.on('error', () => undefined).on('message', (data) => accepted.send(data)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setResetting(value) {
      isResetting = value
    },
    async close() {
      clearInterval(ticking)
      for (const socket of webSockets.clients) socket.terminate()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
