import type * as OpenTelemetry from '@opentelemetry/api'
import { type HeadSampling, UnsampledTrace } from './head-sampling.js'
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
  /** Absent: OpenTelemetry makes a span for each request. */
  readonly sampling?: HeadSampling | undefined
}

/** Undefined while nothing asks for traces. */
export let tracing: Tracing | undefined

/** From now on, until it is called without. */
export function traceWith(next: Tracing | undefined): void {
  tracing = next
}

/** What `injectTrace` writes; undefined where there is no trace. */
export type SpanContext = OpenTelemetry.Context | UnsampledTrace | undefined

const wholeRequest = Symbol('the whole request')

export interface WholeRequest {
  readonly traceId: string
  /** Undefined where no span was made, since the trace is not sampled. */
  readonly span: OpenTelemetry.Span | undefined
  readonly trace: OpenTelemetry.Context | UnsampledTrace
}

/** As OpenTelemetry knows it. */
export function contextOf({ trace }: WholeRequest): OpenTelemetry.Context {
  return trace instanceof UnsampledTrace ? trace.context : trace
}

type InTrace = object & { [wholeRequest]?: WholeRequest }

export function wholeOf(request: object): WholeRequest | undefined {
  return (request as InTrace)[wholeRequest]
}

/** From here on the request is known by this span. */
export function beginWhole(request: object, whole: WholeRequest): void {
  ;(request as InTrace)[wholeRequest] = whole
}

/** A request that is made of another one is in the same trace. */
export function continueTrace(from: object, to: object): void {
  const whole = tracing && wholeOf(from)
  if (whole !== undefined) beginWhole(to, whole)
}

/** The unsampled trace of the request whose event is being published. */
let toldOf: UnsampledTrace | undefined

/** Tells of a request, so that its line of the log gets the trace. */
export function inTraceOf(request: object, tell: () => void): void {
  const trace = tracing && wholeOf(request)?.trace
  if (tracing === undefined || trace === undefined) tell()
  else if (trace instanceof UnsampledTrace) tellOf(trace, tell)
  else tracing.contexts.manager.with(trace, tell)
}

function tellOf(trace: UnsampledTrace, tell: () => void): void {
  const before = toldOf
  toldOf = trace
  try {
    tell()
  } finally {
    toldOf = before
  }
}

/** The id of the trace whose event is being published, or of the active one. */
export function activeTraceId(): string | undefined {
  return toldOf?.traceId ?? tracing?.api.trace.getActiveSpan()?.spanContext().traceId
}

/** Writes the context of a span into the fields of a request of ours (W3C Trace Context). Default: that of the active one. */
export function injectTrace(headers: Record<string, string | string[] | undefined>, context = activeContext()): void {
  if (context instanceof UnsampledTrace) headers.traceparent = context.traceparent
  else if (tracing !== undefined && context !== undefined) tracing.api.propagation.inject(context, headers)
}

function activeContext(): SpanContext {
  return tracing?.api.trace.getActiveSpan() && tracing.api.context.active()
}
