import { randomFillSync } from 'node:crypto'
import type * as OpenTelemetry from '@opentelemetry/api'
import type { Trace } from './trace.js'

/*
 * The sampler decides whether a trace is sampled when the trace begins, by its id. OpenTelemetry's SDK makes a span, a list of attributes and a
 * context before it asks its sampler; with one call of a hundred sampled, that was 3 % of a call. This file asks the sampler first, for
 * several traces that are to come, and makes two ids for one that is not sampled.
 */

/** What the SDK takes as its `Sampler`. */
export interface Sampler {
  shouldSample(
    context: OpenTelemetry.Context,
    traceId: string,
    name: string,
    kind: OpenTelemetry.SpanKind,
    attributes: OpenTelemetry.Attributes,
    links: OpenTelemetry.Link[],
  ): { readonly decision: OpenTelemetry.SamplingDecision }
}

export interface HeadSampling {
  /** For the SDK: it gives a sampled trace the id that the sampler was asked about. */
  readonly idGenerator: { generateTraceId(): string; generateSpanId(): string }
  /** A trace that begins with a request. Undefined where it is sampled: the SDK makes its span, at once. */
  begin(): UnsampledTrace | undefined
}

/** A trace without spans. The log and the API get its id all the same. */
export class UnsampledTrace implements Trace {
  readonly traceId: string
  /** @see {@link https://www.w3.org/TR/trace-context/#traceparent-header W3C Trace Context §3.2} */
  readonly traceparent: string

  constructor(traceId: string, spanId: string) {
    this.traceId = traceId
    this.traceparent = `00-${traceId}-${spanId}-00`
  }
}

/** Traces that are decided about at once: one by one, between all else that a request needs, a decision takes three times as long. */
const decidedAtOnce = 16

export function createHeadSampling(api: typeof OpenTelemetry, sampler: Sampler): HeadSampling {
  const newId = createIds()
  /** To come, the next one last. Of one that is sampled, its id: OpenTelemetry makes it. */
  let decided: (UnsampledTrace | string)[] = []
  let sampledId: string | undefined
  return {
    idGenerator: {
      generateTraceId() {
        const id = sampledId ?? newId(16)
        sampledId = undefined
        return id
      },
      generateSpanId: () => newId(8),
    },
    begin() {
      if (decided.length === 0) decided = decide(api, sampler, newId(decidedAtOnce * 24))
      const trace = decided.pop()
      if (trace instanceof UnsampledTrace) return trace
      sampledId = trace
      return undefined
    },
  }
}

/** @param digits hexadecimal, of all ids: one that is kept keeps them all */
function decide(api: typeof OpenTelemetry, sampler: Sampler, digits: string): (UnsampledTrace | string)[] {
  const { ROOT_CONTEXT, SamplingDecision, SpanKind } = api
  return Array.from({ length: decidedAtOnce }, (_, index) => {
    const begin = index * 48
    const traceId = digits.slice(begin, begin + 32)
    const { decision } = sampler.shouldSample(ROOT_CONTEXT, traceId, 'request', SpanKind.SERVER, {}, [])
    return decision === SamplingDecision.NOT_RECORD
      ? new UnsampledTrace(traceId, digits.slice(begin + 32, begin + 48))
      : traceId
  })
}

/** Random bytes in hexadecimal. They are drawn for some hundred traces at once: to draw costs more than the bytes. */
function createIds(): (bytes: number) => string {
  const drawn = Buffer.alloc(8192)
  let used = drawn.length
  return (bytes) => {
    if (used + bytes > drawn.length) {
      randomFillSync(drawn)
      used = 0
    }
    used += bytes
    return drawn.toString('hex', used - bytes, used)
  }
}
