import type { IncomingMessage } from 'node:http'
import type * as OpenTelemetry from '@opentelemetry/api'
import { UnsampledTrace } from './head-sampling.js'
import { contextOf, type SpanContext, tracing, wholeOf } from './tracing.js'

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * Runs a part of a request as a span of its own; straight on where the request is not sampled.
 * @param run gets what `injectTrace` writes
 */
export function inSpan<Result>(
  request: IncomingMessage,
  name: string,
  run: (context: SpanContext) => Result,
  attributes?: () => Attributes,
): Result {
  const whole = tracing && wholeOf(request)
  if (tracing === undefined || whole?.span?.isRecording() !== true) return run(whole?.trace)
  const { api, tracer } = tracing
  const parent = contextOf(whole)
  const span = tracer.startSpan(name, { kind: kindOf(name, api), attributes: attributes?.() ?? {} }, parent)
  return ended(span, api, () => run(api.trace.setSpan(parent, span)))
}

/** The same for a part that may ask an authorization server: `inActiveSpan` is in it, until it has its result. */
export function inSpanOfOthers<Result>(request: IncomingMessage, name: string, run: () => Result): Result {
  return inSpan(request, name, (context) => {
    if (tracing === undefined || context === undefined || context instanceof UnsampledTrace) return run()
    if (tracing.api.trace.getSpan(context)?.isRecording() !== true) return run()
    return tracing.contexts.during(context, run)
  })
}

/** For what goes on beside a part that has its result already. */
export function stayInSpan<Result>(pending: Promise<Result>): Promise<Result> {
  if (tracing !== undefined && isInSampledTrace(tracing.api)) tracing.contexts.stay(pending)
  return pending
}

/** A span in the one that is active, of something that does not know its request. */
export function inActiveSpan<Result>(name: string, run: () => Result, attributes: () => Attributes): Result {
  if (tracing === undefined) return run()
  const { api, tracer } = tracing
  if (!isInSampledTrace(api)) return run()
  return tracer.startActiveSpan(name, { kind: kindOf(name, api), attributes: attributes() }, (span) =>
    ended(span, api, run),
  )
}

/** A span that has ended records no more, and is the parent of what it has begun all the same. */
function isInSampledTrace({ trace, TraceFlags }: typeof OpenTelemetry): boolean {
  const active = trace.getActiveSpan()
  return active !== undefined && (active.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
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
