import type { IncomingMessage, RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'
import { Span, type SpanOptions, type SpanSource } from './span.js'
import { readTrace, type Trace } from './trace.js'
import { beginWhole, type Tracing, tracing } from './tracing.js'

export interface Traced {
  readonly scheme: string
  /** Whether a peer may say which trace its request belongs to. Another one's trace is linked to, and decides nothing. */
  readonly isTrusted: (address: string | undefined) => boolean
}

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Serves each request in a span of its own: the one that all others of it are in. */
export function tracedRequests(serve: RequestListener, traced: Traced): RequestListener {
  return (request, response) => {
    if (tracing === undefined) return serve(request, response)
    const span = begin(tracing, request, traced)
    if (span !== undefined) response.once('close', () => end(span, response.statusCode))
    serve(request, response)
  }
}

/** The same for an upgrade, for as long as its socket is open. */
export function tracedUpgrades(serve: Upgrade, traced: Traced): Upgrade {
  return (request, socket, head) => {
    if (tracing === undefined) return serve(request, socket, head)
    const span = begin(tracing, request, traced)
    if (span !== undefined) socket.once('close', () => end(span))
    serve(request, socket, head)
  }
}

/** Characters of a caller's path. */
const maxPathLength = 500

/** @returns undefined where no span is made */
function begin(
  { sampling, source }: Tracing,
  request: IncomingMessage,
  { scheme, isTrusted }: Traced,
): Span | undefined {
  const peer = readTrace(request.headers)
  const isRemote = peer !== undefined && isTrusted(request.socket.remoteAddress)
  // One that is not sampled is there all the same: its id goes into the log and to the API.
  const trace = isRemote ? sampling.goOn(peer) : sampling.begin()
  const span = trace.isSampled
    ? spanOf(source, request, trace, scheme, isRemote ? { parent: peer } : { link: peer })
    : undefined
  beginWhole(request, { trace, span })
  return span
}

function spanOf(
  source: SpanSource,
  request: IncomingMessage,
  trace: Trace,
  scheme: string,
  { parent, link }: Pick<SpanOptions, 'parent' | 'link'>,
): Span {
  const { method = 'HTTP' } = request
  const attributes = { 'http.request.method': method, 'url.path': pathOf(request), 'url.scheme': scheme }
  return new Span(source, method, trace, { kind: 'server', attributes, parent, isRemote: parent !== undefined, link })
}

/** What is not in origin-form (RFC 9112 §3.2.1) is refused, and may hold a password. */
function pathOf({ url = '' }: IncomingMessage): string {
  const [target = ''] = url.split('?', 1)
  return target.startsWith('/') ? target.slice(0, maxPathLength) : ''
}

function end(span: Span, status?: number): void {
  if (status !== undefined) span.attributes['http.response.status_code'] = status
  if (status !== undefined && status >= 500) span.failure = ''
  span.end()
}
