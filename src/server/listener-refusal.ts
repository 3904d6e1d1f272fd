import { randomUUID } from 'node:crypto'
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { unreachable } from '../errors.js'
import { endWithAnswer, holdWithAnswer } from '../http/last-answer.js'
import { problemDetails, problemMediaType } from '../http/problem-details.js'
import { publish } from '../telemetry/events.js'

/** Why a listener refuses a request before any product has seen it. Stable, and explained in `docs/errors.md`. */
export type ListenerRefusal =
  | 'server.request.malformed'
  | 'server.request.timeout'
  | 'server.request.pipelined'
  | 'server.request.header_too_large'
  | 'server.request.expectation_unknown'
  | 'server.request.method_unsupported'

export function statusOf(code: ListenerRefusal): 400 | 408 | 417 | 429 | 431 | 501 {
  switch (code) {
    case 'server.request.malformed':
      return 400
    case 'server.request.timeout':
      return 408
    case 'server.request.expectation_unknown':
      return 417
    case 'server.request.pipelined':
      return 429
    case 'server.request.header_too_large':
      return 431
    case 'server.request.method_unsupported':
      return 501
    default:
      return unreachable(code)
  }
}

function detailOf(code: ListenerRefusal): string {
  switch (code) {
    case 'server.request.malformed':
      return 'what came is no request that can be read and names its host'
    case 'server.request.timeout':
      return 'the rest of the request has not come in time'
    case 'server.request.expectation_unknown':
      return 'the only expectation that is met is 100-continue'
    case 'server.request.pipelined':
      return 'too many requests wait on this connection for the answers before them'
    case 'server.request.header_too_large':
      return 'the header has more bytes, or more fields, than are taken'
    case 'server.request.method_unsupported':
      return 'this server is no proxy: there is no CONNECT'
    default:
      return unreachable(code)
  }
}

/** Writes to a connection on which no answer has begun. It is not kept. */
export function refuseConnection(socket: Duplex, code: ListenerRefusal): void {
  const { status, headers, body } = answerTo(code)
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const answer = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.join('')}\r\n${body}`
  if (status === 429) holdWithAnswer(socket, answer)
  else endWithAnswer(socket, answer)
}

export function refuseRequest(response: ServerResponse, code: ListenerRefusal): void {
  const { status, headers, body } = answerTo(code)
  response.writeHead(status, headers).end(response.req.method === 'HEAD' ? undefined : body)
}

function answerTo(code: ListenerRefusal) {
  const status = statusOf(code)
  const requestId = randomUUID()
  announce(code, (count) => publish({ type: 'server.request.refused', requestId, code, status, count }))
  const title = STATUS_CODES[status] ?? ''
  const body = JSON.stringify(problemDetails({ status, title, detail: detailOf(code), code, requestId }))
  const headers = {
    'Content-Type': problemMediaType,
    'Content-Length': Buffer.byteLength(body),
    'X-Request-Id': requestId,
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    Connection: 'close',
  }
  return { status, headers, body }
}

/** A connection that is closed as soon as it stands: there is no room for it. */
export function announceFull(limit: 'connections' | 'connections-per-address'): void {
  announce(limit, (count) => publish({ type: 'server.connection.refused', limit, count }))
}

const suppressed = new Map<string, number>()

/** A client can cause thousands of refusals a second: each kind of event is published once a second, with a count. */
function announce(kind: string, tell: (count: number) => void): void {
  const count = suppressed.get(kind)
  if (count !== undefined) {
    suppressed.set(kind, count + 1)
    return
  }
  suppressed.set(kind, 0)
  tell(1)
  setTimeout(() => {
    const more = suppressed.get(kind) ?? 0
    suppressed.delete(kind)
    if (more > 0) tell(more)
  }, 1000).unref()
}
