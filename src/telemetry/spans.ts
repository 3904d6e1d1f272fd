import type { IncomingMessage } from 'node:http'
import type { Attributes } from '@opentelemetry/api'
import { Span } from './span.js'
import type { Trace } from './trace.js'
import { tracing, wholeOf } from './tracing.js'

/**
 * Runs a part of a request as a span of its own; straight on where the request is not sampled.
 * @param run gets what `writeTrace` writes
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
  if (tracing === undefined || parent === undefined || !parent.isSampled) return run(parent)
  const { sampling, source } = tracing
  const trace = sampling.part(parent)
  const kind = name === 'upstream' || name === 'issuer' ? 'client' : 'internal'
  const span = new Span(source, name, trace, { kind, attributes: attributes?.() ?? {}, parent })
  return within(span, () => run(trace))
}

function within<Result>(span: Span, run: () => Result): Result {
  const failed = (error: unknown): never => {
    span.failure = codeOf(error)
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
