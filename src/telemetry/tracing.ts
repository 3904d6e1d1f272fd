import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type * as OpenTelemetry from '@opentelemetry/api'
import { LRUCache } from 'lru-cache'
import type { TraceContexts } from './trace-contexts.js'

/*
 * Spans, where `OTEL_*` asks for them. Nothing of OpenTelemetry is loaded before, and a part of a request that could be a
 * span costs one comparison.
 */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** What is told to OpenTelemetry: names by its semantic conventions; identifiers and codes, never a secret, a query or a name. */
export interface Tracing {
  readonly api: typeof OpenTelemetry
  readonly tracer: OpenTelemetry.Tracer
  readonly contexts: TraceContexts
}

let tracing: Tracing | undefined

/** From now on, until it is called without. */
export function traceWith(next: Tracing | undefined): void {
  tracing = next
}

/** Runs a part of a request as a span of its own; straight on where the request is not traced. */
export function inSpan<Result>(name: string, run: () => Result, attributes?: () => Attributes): Result {
  if (tracing === undefined) return run()
  const { api, tracer } = tracing
  if (api.trace.getActiveSpan()?.isRecording() !== true) return run()
  const kind = name === 'upstream' || name === 'issuer' ? api.SpanKind.CLIENT : api.SpanKind.INTERNAL
  return tracer.startActiveSpan(name, { kind, attributes: attributes?.() ?? {} }, (span) => ended(span, api, run))
}

function ended<Result>(span: OpenTelemetry.Span, api: typeof OpenTelemetry, run: () => Result): Result {
  const failed = (error: unknown): never => {
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: codeOf(error) })
    span.end()
    throw error
  }
  try {
    const result = run()
    if (!(result instanceof Promise)) {
      span.end()
      return result
    }
    return result.then((value: unknown) => {
      span.end()
      return value
    }, failed) as Result
  } catch (error) {
    return failed(error)
  }
}

/** A code, or the name of its class: messages may quote what a caller has sent. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown'
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.constructor.name
}

/**
 * Adds to the span of the whole request.
 * @param requestId of the log lines that get the trace's id
 */
export function describeRequest(request: IncomingMessage, requestId: string, attributes: Attributes): void {
  const whole = tracing && wholeOf(request)
  if (whole === undefined) return
  tracesByRequest.set(requestId, whole.span.spanContext().traceId)
  whole.span.setAttributes(attributes).setAttribute('sallyport.request_id', requestId)
}

/** Names the span of the whole request. @param route a path of the configuration, never the caller's */
export function nameRequest(request: IncomingMessage, route: string): void {
  const whole = tracing && wholeOf(request)
  whole?.span.setAttribute('http.route', route).updateName(`${request.method} ${route}`)
}

/** Requests as long as they run; the log asks for the latest only. */
const tracesByRequest = new LRUCache<string, string>({ max: 10_000 })

const wholeRequest = Symbol('the whole request')

interface WholeRequest {
  readonly span: OpenTelemetry.Span
  readonly context: OpenTelemetry.Context
}

const wholeOf = (request: IncomingMessage): WholeRequest | undefined =>
  (request as IncomingMessage & { [wholeRequest]?: WholeRequest })[wholeRequest]

/** Writes the context of the span that runs into the fields of a request of ours (W3C Trace Context). */
export function injectTrace(headers: Record<string, string | string[] | undefined>, request?: IncomingMessage): void {
  if (tracing === undefined) return
  const { api } = tracing
  const context = api.trace.getActiveSpan() === undefined ? request && wholeOf(request)?.context : api.context.active()
  if (context !== undefined) api.propagation.inject(context, headers)
}

/** For the log. */
export function traceId(requestId?: string): string | undefined {
  if (tracing === undefined) return undefined
  return (
    tracing.api.trace.getActiveSpan()?.spanContext().traceId ??
    (requestId === undefined ? undefined : tracesByRequest.get(requestId))
  )
}

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
    const { span } = begin(tracing, request, traced)
    response.once('close', () => end(span, response.statusCode))
    if (!span.isRecording()) return serve(request, response)
    withItsTrace(request, response, () => serve(request, response))
  }
}

/** The same for an upgrade, for as long as its socket is open. */
export function tracedUpgrades(serve: Upgrade, traced: Traced): Upgrade {
  return (request, socket, head) => {
    if (tracing === undefined) return serve(request, socket, head)
    const { span } = begin(tracing, request, traced)
    socket.once('close', () => end(span))
    if (!span.isRecording()) return serve(request, socket, head)
    withItsTrace(request, socket, () => serve(request, socket, head))
  }
}

/**
 * Runs what asks other servers so that they learn the trace's id, also where the trace is not sampled: logins, and all that
 * the authorization server does. A call of an API that is not sampled goes without, for it would pay a third more.
 */
export function withItsTrace<Result>(
  request: IncomingMessage,
  over: ServerResponse | Duplex,
  run: () => Result,
): Result {
  const known = tracing && wholeOf(request)
  if (tracing === undefined || known === undefined || tracing.api.trace.getActiveSpan() !== undefined) return run()
  const { contexts } = tracing
  over.once('close', contexts.leave)
  return contexts.enter(known.context, run)
}

function begin({ api, tracer }: Tracing, request: IncomingMessage, { scheme, isTrusted }: Traced): WholeRequest {
  const said = api.propagation.extract(api.ROOT_CONTEXT, traceFieldsOf(request.headers))
  const sender = api.trace.getSpanContext(said)
  const isTaken = sender !== undefined && isTrusted(request.socket.remoteAddress)
  const method = request.method ?? 'HTTP'
  const [path = ''] = (request.url ?? '').split('?', 1)
  const span = tracer.startSpan(
    method,
    {
      kind: api.SpanKind.SERVER,
      attributes: { 'http.request.method': method, 'url.path': path, 'url.scheme': scheme },
      ...(sender !== undefined && !isTaken && { links: [{ context: sender }] }),
    },
    isTaken ? said : api.ROOT_CONTEXT,
  )
  // One that is not sampled is there all the same: its id goes into the log and to the API.
  const begun = { span, context: api.trace.setSpan(api.ROOT_CONTEXT, span) }
  return Object.assign(request, { [wholeRequest]: begun })[wholeRequest]
}

function end(span: OpenTelemetry.Span, status?: number): void {
  if (status !== undefined) span.setAttribute('http.response.status_code', status)
  if (status !== undefined && status >= 500 && tracing !== undefined)
    span.setStatus({ code: tracing.api.SpanStatusCode.ERROR })
  span.end()
}

function traceFieldsOf({ traceparent, tracestate }: IncomingHttpHeaders): Record<string, string> {
  return {
    ...(typeof traceparent === 'string' && { traceparent }),
    ...(typeof tracestate === 'string' && { tracestate }),
  }
}
