import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Jwk } from '../../src/jose/jwk.js'

/** An authorization server that does with its endpoints what a test wants. */
export interface FaultyServer {
  readonly issuer: string
  /** How often each path was asked for. */
  readonly asked: Map<string, number>
  /** What each path does; a path without an entry is a 404. */
  readonly paths: Record<string, (response: ServerResponse, request: IncomingMessage, body: string) => void>
  close(): Promise<void>
}

export const json = (value: unknown) => (response: ServerResponse) =>
  void response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value))

export async function startFaultyServer(keys: readonly Jwk[]): Promise<FaultyServer> {
  const asked = new Map<string, number>()
  const paths: FaultyServer['paths'] = {}
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    asked.set(path, (asked.get(path) ?? 0) + 1)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = paths[path]
      if (answer === undefined) response.writeHead(404).end('not found')
      else answer(response, request, Buffer.concat(chunks).toString())
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  paths['/.well-known/openid-configuration'] = json({
    issuer,
    jwks_uri: `${issuer}/jwks`,
    introspection_endpoint: `${issuer}/introspect`,
  })
  paths['/jwks'] = json({ keys })
  return {
    issuer,
    asked,
    paths,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
