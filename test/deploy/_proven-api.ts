import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { createProofVerifier } from '../../src/dpop/verifier.js'

export interface SeenByApi {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers 401 unless the proof is for this very request. Below `/api/public` it wants none. WebSockets echo. */
export async function startProvenApi() {
  const seen: SeenByApi[] = []
  const used = new Set<string>()
  const verify = createProofVerifier()
  const holds = (...[proof, target]: Parameters<typeof verify>): boolean => {
    try {
      const { jti } = verify(proof, target)
      return used.size !== used.add(jti).size
    } catch {
      return false
    }
  }
  const isProvenFor = ({ method = '', url = '', headers }: IncomingMessage): boolean => {
    const accessToken = /^DPoP (.+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
    return (
      url.startsWith('/api/public') ||
      holds(String(headers.dpop ?? ''), { method, url: new URL(url, origin), accessToken })
    )
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
    const isProven = isProvenFor(request)
    response
      .writeHead(isProven ? 200 : 401, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ url, isProven }))
  }).listen(0, '127.0.0.1')
  const webSockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    const { method = '', url = '', headers } = request
    seen.push({ method, url, headers, body: '' })
    if (!isProvenFor(request)) socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
    else webSockets.handleUpgrade(request, socket, head, (open) => open.on('message', (data) => open.send(data)))
  })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  return {
    seen,
    url: origin,
    port,
    async close() {
      for (const open of webSockets.clients) open.terminate()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
