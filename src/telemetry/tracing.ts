import type { IncomingMessage } from 'node:http'
import type * as OpenTelemetry from '@opentelemetry/api'
import { LRUCache } from 'lru-cache'
import { type Product, productOfEvent } from './request-origin.js'
import type { TraceContexts } from './trace-contexts.js'

/*
 * Spans, where `OTEL_*` asks for them. Nothing of OpenTelemetry is loaded before, and a part of a request that could be a
 * span costs one comparison.
 */

/** What is told to OpenTelemetry: names by its semantic conventions; identifiers and codes, never a secret, a query or a name. */
export interface Tracing {
  readonly api: typeof OpenTelemetry
  readonly tracer: OpenTelemetry.Tracer
  readonly contexts: TraceContexts
}

/** Undefined while nothing asks for traces. */
export let tracing: Tracing | undefined

/** From now on, until it is called without. */
export function traceWith(next: Tracing | undefined): void {
  tracing = next
}

/** What `injectTrace` writes; undefined where there is no trace. */
export type SpanContext = OpenTelemetry.Context | undefined

/**
 * Adds to the span of the whole request.
 * @param requestId of the log lines that get the trace's id
 */
export function describeRequest(
  request: IncomingMessage,
  product: Exclude<Product, 'validator'>,
  requestId: string,
  frontend?: string,
): void {
  const whole = tracing && wholeOf(request)
  if (whole === undefined) return
  traces[product]?.set(requestId, whole.span.spanContext().traceId)
  if (!whole.span.isRecording()) return
  if (frontend !== undefined) whole.span.setAttribute('sallyport.frontend', frontend)
  whole.span.setAttribute('sallyport.request_id', requestId)
}

/** Names the span of the whole request. @param route a path of the configuration, never the caller's */
export function nameRequest(request: IncomingMessage, route: string): void {
  const whole = tracing && wholeOf(request)
  if (whole?.span.isRecording() === true)
    whole.span.setAttribute('http.route', route).updateName(`${request.method} ${route}`)
}

/** Of the latest requests. A login has one id in both products, and a trace in each. */
const traces: Readonly<Partial<Record<Product, LRUCache<string, string>>>> = {
  gateway: new LRUCache({ max: 10_000 }),
  as: new LRUCache({ max: 10_000 }),
}

const wholeRequest = Symbol('the whole request')

export interface WholeRequest {
  readonly span: OpenTelemetry.Span
  readonly context: OpenTelemetry.Context
}

type InTrace = IncomingMessage & { [wholeRequest]?: WholeRequest }

export function wholeOf(request: IncomingMessage): WholeRequest | undefined {
  return (request as InTrace)[wholeRequest]
}

/** From here on the request is known by this span. */
export function beginWhole(request: IncomingMessage, whole: WholeRequest): void {
  ;(request as InTrace)[wholeRequest] = whole
}

/** A request that is made of another one is in the same trace. */
export function continueTrace(from: IncomingMessage, to: IncomingMessage): void {
  const whole = tracing && wholeOf(from)
  if (whole !== undefined) beginWhole(to, whole)
}

/** Writes the context of a span into the fields of a request of ours (W3C Trace Context). Default: that of the active one. */
export function injectTrace(headers: Record<string, string | string[] | undefined>, context = activeContext()): void {
  if (tracing !== undefined && context !== undefined) tracing.api.propagation.inject(context, headers)
}

function activeContext(): SpanContext {
  return tracing?.api.trace.getActiveSpan() && tracing.api.context.active()
}

/** For the log. @param type of an event */
export function traceId(type: string, requestId: string | undefined): string | undefined {
  if (tracing === undefined) return undefined
  return (
    tracing.api.trace.getActiveSpan()?.spanContext().traceId ??
    (requestId === undefined ? undefined : traces[productOfEvent(type)]?.get(requestId))
  )
}
