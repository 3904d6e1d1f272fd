import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'
import type * as OpenTelemetry from '@opentelemetry/api'
import { beginWhole, SpanTrace, type Tracing, tracing } from './tracing.js'

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
    if (span?.isRecording() === true) response.once('close', () => end(span, response.statusCode))
    serve(request, response)
  }
}

/** The same for an upgrade, for as long as its socket is open. */
export function tracedUpgrades(serve: Upgrade, traced: Traced): Upgrade {
  return (request, socket, head) => {
    if (tracing === undefined) return serve(request, socket, head)
    const span = begin(tracing, request, traced)
    if (span?.isRecording() === true) socket.once('close', () => end(span))
    serve(request, socket, head)
  }
}

const noLinks: OpenTelemetry.Link[] = []

/** Characters of a caller's path. */
const maxPathLength = 500

/** @returns undefined where no span is made */
function begin(
  { api, tracer, sampling }: Tracing,
  request: IncomingMessage,
  { scheme, isTrusted }: Traced,
): OpenTelemetry.Span | undefined {
  const { headers, method = 'HTTP' } = request
  const unsampled = headers.traceparent === undefined ? sampling?.begin() : undefined
  if (unsampled !== undefined) {
    beginWhole(request, { span: undefined, trace: unsampled })
    return undefined
  }
  const said =
    headers.traceparent === undefined
      ? api.ROOT_CONTEXT
      : api.propagation.extract(api.ROOT_CONTEXT, traceFieldsOf(headers))
  const sender = api.trace.getSpanContext(said)
  const isTaken = sender !== undefined && isTrusted(request.socket.remoteAddress)
  const span = tracer.startSpan(
    method,
    {
      kind: api.SpanKind.SERVER,
      links: sender === undefined || isTaken ? noLinks : [{ context: sender }],
    },
    isTaken ? said : api.ROOT_CONTEXT,
  )
  if (span.isRecording()) {
    // What is not in origin-form (RFC 9112 §3.2.1) is refused, and may hold a password.
    const [target = ''] = (request.url ?? '').split('?', 1)
    const path = target.startsWith('/') ? target.slice(0, maxPathLength) : ''
    span.setAttributes({ 'http.request.method': method, 'url.path': path, 'url.scheme': scheme })
  }
  // One that is not sampled is there all the same: its id goes into the log and to the API.
  const trace = new SpanTrace(api.trace.setSpan(api.ROOT_CONTEXT, span), span.spanContext())
  beginWhole(request, { span, trace })
  return span
}

function end(span: OpenTelemetry.Span, status?: number): void {
  if (status !== undefined) span.setAttribute('http.response.status_code', status)
  if (status !== undefined && status >= 500 && tracing !== undefined)
    span.setStatus({ code: tracing.api.SpanStatusCode.ERROR })
  span.end()
}

function traceFieldsOf({ traceparent, tracestate }: IncomingHttpHeaders): Record<string, string> {
  const fields: Record<string, string> = {}
  if (typeof traceparent === 'string') fields.traceparent = traceparent
  if (typeof tracestate === 'string') fields.tracestate = tracestate
  return fields
}
