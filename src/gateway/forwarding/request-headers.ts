import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isOwnCookie } from '../../http/cookie.js'
import type { Client } from '../../http/trusted-peers.js'
import { readTrace } from '../../telemetry/trace.js'
import { tracing, wholeOf } from '../../telemetry/tracing.js'
import type { Frontend } from '../frontend/frontend.js'
import { mayGoUp } from './fields.js'
import { type Headers, namedByConnection } from './headers.js'

/** What the headers are made of. */
export interface RequestFacts {
  readonly request: IncomingMessage
  readonly client: Client
  readonly frontend: Pick<Frontend, 'publicPlace'>
  readonly removedPrefix: string
  readonly requestId: string
}

/** Never as the caller has written them. */
const saidByUs = new Set(['traceparent', 'tracestate'])

/**
 * The headers of the request that goes upstream, on a copy: what may pass, then what we say. Credentials and `Host` are
 * added per attempt.
 */
export function requestHeaders(call: RequestFacts): Headers {
  const { headers } = call.request
  const dropped = namedByConnection(headers.connection)
  const passed: Headers = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || saidByUs.has(name) || !mayGoUp(name) || dropped?.has(name)) continue
    if (name === 'cookie') {
      const others = cookiesOfOthers(String(value))
      if (others !== '') passed.cookie = others
    } else {
      passed[name] = value
    }
  }
  return describe(passed, call)
}

function describe(passed: Headers, { request, client, frontend, removedPrefix, requestId }: RequestFacts): Headers {
  const { host, scheme, forwarded } = frontend.publicPlace
  passed['x-forwarded-for'] = client.address
  passed['x-forwarded-host'] = host
  passed['x-forwarded-proto'] = scheme
  if (removedPrefix !== '') passed['x-forwarded-prefix'] = removedPrefix
  passed.forwarded = `for=${forwardedNode(client.address)}${forwarded}`
  const { via } = request.headers
  passed.via = via === undefined ? ownVia : `${via}, ${ownVia}`
  passed['x-request-id'] = requestId
  passTrace(passed, request, requestId)
  return passed
}

/** Where there are spans, that of each attempt writes its own (`writeTrace`). Otherwise a caller's trace goes on, or one begins with the request. */
function passTrace(passed: Headers, request: IncomingMessage, requestId: string): void {
  if (tracing !== undefined && wholeOf(request) !== undefined) return
  const { traceparent, tracestate } = request.headers
  if (traceparent !== undefined && readTrace(request.headers) !== undefined) {
    passed.traceparent = traceparent
    // It belongs to this trace, and to no other one (W3C Trace Context §3.3).
    if (tracestate !== undefined) passed.tracestate = tracestate
  } else {
    passed.traceparent = newTraceparent(requestId)
  }
}

/** Not sampled. A trace that begins here has the request's id for its own, where that is a UUID of ours; its one span is called by half of it. */
function newTraceparent(requestId: string): string {
  const trace = hexOf(isUuid.test(requestId) ? requestId : randomUUID())
  return `00-${trace}-${trace.slice(16)}-00`
}

/** Version 4: neither it nor its second half is zero, which is no id of a trace or of a span (W3C Trace Context §3.2.2). */
const isUuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

function hexOf(uuid: string): string {
  return uuid.slice(0, 8) + uuid.slice(9, 13) + uuid.slice(14, 18) + uuid.slice(19, 23) + uuid.slice(24)
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.6.3 RFC 9110 §7.6.3} */
const ownVia = '1.1 sallyport'

/** @see {@link https://www.rfc-editor.org/rfc/rfc7239#section-6 RFC 7239 §6} */
function forwardedNode(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address || 'unknown'
}

/** The `Cookie` header without our own cookies. */
export function cookiesOfOthers(header: string): string {
  let others = ''
  for (const part of header.split(';')) {
    const pair = part.trim()
    if (pair !== '' && !holdsOwnCookie(pair)) others += others === '' ? pair : `; ${pair}`
  }
  return others
}

/** A comma ends a cookie for servers that still read RFC 2965, and for proxies that join headers by it. */
function holdsOwnCookie(pair: string): boolean {
  return pair.includes(',') ? pair.split(',').some(isOwnCookie) : isOwnCookie(pair)
}
