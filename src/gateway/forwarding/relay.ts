import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Refusal } from '../refusal.js'
import type { ProxiedRequest } from '../request.js'
import { decideResponseField } from './fields.js'
import { publicLocation } from './redirect.js'
import { responseHeaders } from './response-headers.js'
import type { Answered } from './retry.js'
import { publicCookie } from './set-cookie.js'
import type { UpstreamResponse } from './upstream-response.js'

/** Sends the upstream's answer on, as far as it may reach the browser. */
export function relayAnswer(
  call: ProxiedRequest,
  { url, upstream }: Pick<Answered, 'url' | 'upstream'>,
  upstreamResponse: UpstreamResponse,
  response: ServerResponse,
): void {
  const headers = responseHeaders(upstreamResponse, response, {
    requestId: call.requestId,
    transportSecurity: call.frontend.transportSecurity,
    framePolicy: call.frontend.framePolicy,
    personal: call.route.tokenType !== 'None' || call.route.session !== 'none',
    publicLocation: (location) => publicLocation(location, url, upstream, call),
    publicCookie: (cookie) => publicCookie(cookie, upstream, call),
  })
  relay(upstreamResponse, response, headers)
}

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
  const write = writerInTurns(response)
  upstream.sendTo({
    write(chunk) {
      if (response.destroyed || response.writableEnded) return false
      write(chunk)
      if (response.writableLength < fullAt) return true
      response.once('drain', () => upstream.resume())
      return false
    },
    // A head without a body yet (server-sent events) must not wait for it; one that has its body goes out in one piece.
    wait: () => response.flushHeaders(),
    end(trailers, last) {
      if (response.destroyed || response.writableEnded) return
      if (announced.length > 0) response.addTrailers(trailersOf(announced, trailers))
      if (last !== undefined && last.length <= wholeUpTo && !response.chunkedEncoding) endWhole(response, last)
      else response.end(last)
    },
    breakOff: () => void (response.writableEnded || response.destroy()),
  })
}

/** Bytes on their way to the browser at which the upstream has to wait: two reads of a socket. */
const fullAt = 131_072

/** Bytes of a body that is put behind its head as text: node:http writes that much without memory of its own. */
const wholeUpTo = 8192

/**
 * Head and body as one text in one system call. `end(body)` makes three pieces of them and collects these first: a server that
 * does nothing but answer takes a seventh less CPU this way (Node 20 and 24). Not for one in chunks, whose end is bytes of its own.
 */
function endWhole(response: ServerResponse, body: Buffer): void {
  const { socket } = response
  socket?.cork()
  response.write(body.toString('latin1'), 'latin1')
  // Before the end, which would be a piece of its own.
  socket?.uncork()
  response.end()
}

/**
 * What comes in one turn of the event loop goes out in one system call: head and body, up to what `fullAt` lets in. It is
 * the socket that holds it back: a corked response writes its end before the chunks it has held (Node 22 and 24).
 */
function writerInTurns(response: ServerResponse): (chunk: Buffer) => void {
  let isTurnOpen = false
  return (chunk) => {
    const { socket } = response
    if (!isTurnOpen && socket !== null) {
      isTurnOpen = true
      socket.cork()
      setImmediate(() => {
        isTurnOpen = false
        socket.uncork()
      })
    }
    response.write(chunk)
  }
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
    .filter((name) => decideResponseField(name) === 'passes')
}

function trailersOf(announced: readonly string[], trailers: IncomingHttpHeaders): [string, string][] {
  return announced.flatMap((name): [string, string][] => {
    const value = trailers[name]
    return value === undefined ? [] : [[name, String(value)]]
  })
}
