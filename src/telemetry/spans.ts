import type { IncomingMessage } from 'node:http'
import type * as OpenTelemetry from '@opentelemetry/api'
import type { Trace } from './trace.js'
import { SpanTrace, tracing, wholeOf } from './tracing.js'

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Runs a part of a request as a span of its own; straight on where the request is not sampled.
 * @param run gets what `injectTrace` writes
 */
export function inSpan<Result>(
  request: IncomingMessage,
  name: string,
  run: (trace: Trace | undefined) => Result,
  attributes?: () => Attributes,
): Result {
  return inSpanOf(tracing && wholeOf(request)?.trace, name, run, attributes)
}

/** The same for what does not know its request. @param parent the trace that it is a part of; its span may have ended */
export function inSpanOf<Result>(
  parent: Trace | undefined,
  name: string,
  run: (trace: Trace | undefined) => Result,
  attributes?: () => Attributes,
): Result {
  if (tracing === undefined || !(parent instanceof SpanTrace)) return run(parent)
  const { api, tracer } = tracing
  const { context } = parent
  if (!isSampled(context, api)) return run(parent)
  const span = tracer.startSpan(name, { kind: kindOf(name, api), attributes: attributes?.() ?? {} }, context)
  return ended(span, api, () => run(new SpanTrace(api.trace.setSpan(context, span), span.spanContext())))
}

/** Not whether it records: a span that has ended is the parent of what it has begun all the same. */
function isSampled(context: OpenTelemetry.Context, { trace, TraceFlags }: typeof OpenTelemetry): boolean {
  const span = trace.getSpanContext(context)
  return span !== undefined && (span.traceFlags & TraceFlags.SAMPLED) !== 0
}

function kindOf(name: string, { SpanKind }: typeof OpenTelemetry): OpenTelemetry.SpanKind {
  return name === 'upstream' || name === 'issuer' ? SpanKind.CLIENT : SpanKind.INTERNAL
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
