import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createProofVerifier, type VerifiedProof } from '../../src/dpop/verifier.js'

/** One request as an API behind the gateway saw it. */
export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  readonly trailers: IncomingMessage['trailers']
  /** Of the proof, when there was one and it held. */
  readonly proof: VerifiedProof | undefined
}

export interface RecordingUpstream {
  readonly url: URL
  readonly server: Server
  readonly seen: Seen[]
  /**
   * Connections open at the moment that something has come by. For each request that is given up, undici opens another
   * connection, on which nothing comes for the four seconds that it is kept.
   */
  sockets(): number
  close(): Promise<void>
}

/** An API that remembers what reached it, and answers as it is told. Default: 200 and what it saw, as JSON. */
export async function recordingUpstream(
  answer: (request: IncomingMessage, response: ServerResponse, seen: Seen) => void = echo,
  /** What its proofs are for. Default: where it listens. */
  calledAs?: URL,
): Promise<RecordingUpstream> {
  const seen: Seen[] = []
  const upstream = await listening(async (request, response) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    } catch {
      return
    }
    const one = seenOf(request, Buffer.concat(chunks), calledAs ?? upstream.url)
    seen.push(one)
    answer(request, response, one)
  })
  return { ...upstream, seen }
}

/** Like `recordingUpstream`, for listeners that deal with the request themselves. */
export async function listening(listener: RequestListener, port = 0): Promise<Omit<RecordingUpstream, 'seen'>> {
  const server = createServer({ requestTimeout: 0 }, listener)
  const open = new Set<Socket>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => {})
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return {
    url,
    server,
    sockets: () => [...open].filter(({ bytesRead }) => bytesRead > 0).length,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const verifyProof = createProofVerifier()

export function seenOf(request: IncomingMessage, body: Buffer, origin: URL): Seen {
  const { method = '', url = '', headers, rawHeaders, trailers } = request
  const [scheme, accessToken = ''] = (headers.authorization ?? '').split(' ')
  const target = { method, url: new URL(origin.origin + url), accessToken }
  const proof = scheme === 'DPoP' && typeof headers.dpop === 'string' ? verifyProof(headers.dpop, target) : undefined
  return { method, url, headers, rawHeaders, trailers, body, proof }
}

function echo(_request: IncomingMessage, response: ServerResponse, { method, url, headers, body }: Seen): void {
  response.setHeader('Content-Type', 'application/json')
  response.end(JSON.stringify({ method, url, headers, body: body.toString('latin1') }))
}

/** Answers 401 `use_dpop_nonce` to whatever carries no nonce that was given out, and gives a new one with every answer. */
export function demandingNonces(
  answer: (request: IncomingMessage, response: ServerResponse, seen: Seen) => void = echo,
): (request: IncomingMessage, response: ServerResponse, seen: Seen) => void {
  const given = new Set<string>()
  let count = 0
  return (request, response, seen) => {
    const nonce = seen.proof?.nonce
    const fresh = `nonce-${++count}`
    response.setHeader('DPoP-Nonce', fresh)
    const good = nonce !== undefined && given.delete(nonce)
    given.add(fresh)
    if (good) return answer(request, response, seen)
    response.writeHead(401, { 'WWW-Authenticate': 'DPoP error="use_dpop_nonce", algs="ES256"' }).end()
  }
}
