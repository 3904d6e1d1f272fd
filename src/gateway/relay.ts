import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Refusal } from './refusal.js'
import type { UpstreamResponse } from './upstream-response.js'

/**
 * Sends an upstream's response on as it comes: head at once, body with back-pressure, trailers at the end. A response that
 * breaks off breaks off for the browser too; it never looks finished.
 * @throws Refusal `bff.upstream.invalid_response` when the head cannot be passed on; nothing has been sent then
 */
export function relay(upstream: UpstreamResponse, response: ServerResponse, headers: string[]): void {
  const announced = upstream.headers['transfer-encoding'] === undefined ? noTrailers : trailersAnnounced(upstream)
  if (announced.length > 0) headers.push('Trailer', announced.join(', '))
  try {
    writeHead(response, upstream.status, headers)
  } catch (cause) {
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    throw new Refusal('bff.upstream.invalid_response', 'the upstream answered with headers that cannot be passed on', {
      cause,
    })
  }
  upstream.sendTo({
    write(chunk) {
      if (response.destroyed || response.writableEnded) return false
      const hasRoom = response.write(chunk)
      if (!hasRoom) response.once('drain', () => upstream.resume())
      return hasRoom
    },
    // A head without a body yet (server-sent events) must not wait for it; one that has its body goes out in one piece.
    wait: () => response.flushHeaders(),
    end(trailers, last) {
      if (response.destroyed || response.writableEnded) return
      if (announced.length > 0) response.addTrailers(trailersOf(announced, trailers))
      response.end(last)
    },
    breakOff: () => void (response.writableEnded || response.destroy()),
  })
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

const noTrailers: readonly string[] = []

/** Those that may be trailers at all (RFC 9110 §6.5.1) and mean nothing to a browser's security. */
function trailersAnnounced({ headers }: UpstreamResponse): readonly string[] {
  return String(headers.trailer ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => /^(?:grpc-|x-|server-timing$|digest$|content-digest$|repr-digest$)[a-z0-9-]*$/.test(name))
}

function trailersOf(announced: readonly string[], trailers: IncomingHttpHeaders): [string, string][] {
  return announced.flatMap((name): [string, string][] => {
    const value = trailers[name]
    return value === undefined ? [] : [[name, String(value)]]
  })
}
