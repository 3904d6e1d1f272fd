import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from './refusal.js'

/**
 * Sends an upstream's response on as it comes: head at once, body with back-pressure, trailers at the end. A response that
 * breaks off breaks off for the browser too; it never looks finished.
 * @throws Refusal `bff.upstream.invalid_response` when the head cannot be passed on; nothing has been sent then
 */
export function relay(upstream: IncomingMessage, response: ServerResponse, headers: string[]): void {
  const chunked = upstream.headers['transfer-encoding'] !== undefined
  const announced = chunked ? trailersAnnounced(upstream) : []
  if (announced.length > 0) headers.push('Trailer', announced.join(', '))
  try {
    writeHead(response, upstream.statusCode ?? 502, headers)
  } catch (cause) {
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    throw new Refusal('bff.upstream.invalid_response', 'the upstream answered with headers that cannot be passed on', {
      cause,
    })
  }
  // A head without a body yet (server-sent events) must not wait for it; one that has its body goes out in one piece.
  if (chunked) setImmediate(() => response.writableLength === 0 && !response.writableEnded && response.flushHeaders())
  upstream.on('error', () => response.destroy())
  if (announced.length > 0) {
    upstream.once('end', () => {
      const trailers = announced.flatMap((name): [string, string][] => {
        const value = upstream.trailers[name]
        return value === undefined ? [] : [[name, value]]
      })
      response.addTrailers(trailers)
    })
  }
  upstream.pipe(response)
}

/** A flat list goes out as it is, unless something had been set before: then the last of a name would win. */
function writeHead(response: ServerResponse, status: number, headers: string[]): void {
  const before = response.getHeaderNames()
  if (before.length === 0) {
    response.writeHead(status, headers)
    return
  }
  for (const name of before) response.removeHeader(name)
  for (let index = 0; index < headers.length; index += 2)
    response.appendHeader(headers[index] ?? '', headers[index + 1] ?? '')
  response.writeHead(status)
}

/** Those that may be trailers at all (RFC 9110 §6.5.1) and mean nothing to a browser's security. */
function trailersAnnounced({ headers }: IncomingMessage): string[] {
  return String(headers.trailer ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => /^(?:grpc-|x-|server-timing$|digest$|content-digest$|repr-digest$)[a-z0-9-]*$/.test(name))
}

/** Reads a response nobody is to see, so that its connection can be used again; a long one is not worth that. */
export function skip(upstream: IncomingMessage): void {
  let left = 65_536
  upstream
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) upstream.destroy()
    })
}
