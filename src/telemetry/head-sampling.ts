import { randomBytes } from 'node:crypto'
import type * as OpenTelemetry from '@opentelemetry/api'
import type { Trace } from './trace.js'

/*
 * The sampler decides whether a trace is sampled when the trace begins, by its id. OpenTelemetry's SDK makes a span, a list of attributes and a
 * context before it asks its sampler; with one call of a hundred sampled, that was 3 % of a call. This file asks the sampler first, and makes
 * two ids for a trace that is not sampled.
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
  begin(name: string): UnsampledTrace | undefined
}

/** A trace without spans. The log and the API get its id all the same. */
export class UnsampledTrace implements Trace {
  readonly traceId: string
  readonly #spanId: string

  constructor(traceId: string, spanId: string) {
    this.traceId = traceId
    this.#spanId = spanId
  }

  /** @see {@link https://www.w3.org/TR/trace-context/#traceparent-header W3C Trace Context §3.2} */
  get traceparent(): string {
    return `00-${this.traceId}-${this.#spanId}-00`
  }
}

export function createHeadSampling(api: typeof OpenTelemetry, sampler: Sampler): HeadSampling {
  const newId = createIds()
  const noAttributes = {}
  const noLinks: OpenTelemetry.Link[] = []
  let decided: string | undefined
  return {
    idGenerator: {
      generateTraceId() {
        const id = decided ?? newId(16)
        decided = undefined
        return id
      },
      generateSpanId: () => newId(8),
    },
    begin(name) {
      const traceId = newId(16)
      const { decision } = sampler.shouldSample(
        api.ROOT_CONTEXT,
        traceId,
        name,
        api.SpanKind.SERVER,
        noAttributes,
        noLinks,
      )
      if (decision === api.SamplingDecision.NOT_RECORD) return new UnsampledTrace(traceId, newId(8))
      decided = traceId
      return undefined
    },
  }
}

/** Bytes that are drawn and written out at once, for many ids: an id that is kept keeps the text of all. */
const drawnAtOnce = 512

/** Random bytes in hexadecimal. */
function createIds(): (bytes: number) => string {
  let digits = ''
  let used = 0
  return (bytes) => {
    if (used + bytes * 2 > digits.length) {
      digits = randomBytes(drawnAtOnce).toString('hex')
      used = 0
    }
    const begin = used
    used += bytes * 2
    return digits.slice(begin, used)
  }
}
