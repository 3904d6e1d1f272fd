import type { HeadSampling } from './head-sampling.js'
import type { Span, SpanSource } from './span.js'
import type { Trace } from './trace.js'

/*
 * Spans, where `OTEL_*` asks for them. Nothing of OpenTelemetry is loaded before, and a part of a request that could be a
 * span costs one comparison. A trace is handed on with its request, or found by the request's id (`traceOf`): there is no
 * active one. An `AsyncLocalStorage` would make every promise of the process dearer, on Node 20 and 22 for good.
 */

/** What is told to OpenTelemetry: names by its semantic conventions; identifiers and codes, never a secret, a query or a name. */
export interface Tracing {
  readonly sampling: HeadSampling
  readonly source: SpanSource
}

/** Undefined while nothing asks for traces. */
export let tracing: Tracing | undefined

/** From now on, until it is called without. */
export function traceWith(next: Tracing | undefined): void {
  tracing = next
}

const wholeRequest = Symbol('the whole request')

export interface WholeRequest {
  readonly trace: Trace
  /** Undefined where none is made, since the trace is not sampled. */
  readonly span: Span | undefined
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

/** The trace of the request whose event is being published. */
let toldOf: Trace | undefined

/** Tells of a request, so that its line of the log gets the trace. */
export function inTraceOf(request: object, tell: () => void): void {
  const trace = tracing && wholeOf(request)?.trace
  if (trace === undefined) {
    tell()
    return
  }
  const before = toldOf
  toldOf = trace
  try {
    tell()
  } finally {
    toldOf = before
  }
}

/** The id of the trace whose event is being published. */
export function toldTraceId(): string | undefined {
  return toldOf?.traceId
}
