import { randomUUID } from 'node:crypto'
import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { endWithAnswer, holdWithAnswer } from '../http/last-answer.js'
import { problemDetails, problemMediaType } from '../http/problem-details.js'
import { publish } from '../telemetry/events.js'

/** Why a listener refuses a request before any product has seen it. Stable, and explained in `docs/errors.md`. */
export const listenerRefusals = {
  'server.request.malformed': { status: 400, detail: 'what came is no request that can be read and names its host' },
  'server.request.timeout': { status: 408, detail: 'the rest of the request has not come in time' },
  'server.request.expectation_unknown': {
    status: 417,
    detail: 'the only expectation that is met is 100-continue',
  },
  'server.request.pipelined': {
    status: 429,
    detail: 'too many requests wait on this connection for the answers before them',
  },
  'server.request.header_too_large': {
    status: 431,
    detail: 'the header has more bytes, or more fields, than are taken',
  },
  'server.request.method_unsupported': { status: 501, detail: 'this server is no proxy: there is no CONNECT' },
} as const satisfies Readonly<Record<`server.${string}`, { readonly status: number; readonly detail: string }>>

export type ListenerRefusal = keyof typeof listenerRefusals

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
  const { status, detail } = listenerRefusals[code]
  const requestId = randomUUID()
  announce(code, (count) => publish({ type: 'server.request.refused', requestId, code, status, count }))
  const title = STATUS_CODES[status] ?? ''
  const body = JSON.stringify(problemDetails({ status, title, detail, code, requestId }))
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

/** A connection of a proxy of ours that does not say, or not in time, who the client is. */
export function announceUnnamed(): void {
  announce('proxy-protocol', (count) => publish({ type: 'server.connection.refused', limit: 'proxy-protocol', count }))
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
