import { randomFillSync } from 'node:crypto'
import type * as OpenTelemetry from '@opentelemetry/api'

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
export class UnsampledTrace {
  readonly traceId: string
  readonly #spanId: string
  readonly #api: typeof OpenTelemetry
  #context: OpenTelemetry.Context | undefined

  constructor(api: typeof OpenTelemetry, traceId: string, spanId: string) {
    this.#api = api
    this.traceId = traceId
    this.#spanId = spanId
  }

  /** @see {@link https://www.w3.org/TR/trace-context/#traceparent-header W3C Trace Context §3.2} */
  get traceparent(): string {
    return `00-${this.traceId}-${this.#spanId}-00`
  }

  /** For what OpenTelemetry has to know, which is little. */
  get context(): OpenTelemetry.Context {
    const { trace, ROOT_CONTEXT, TraceFlags } = this.#api
    this.#context ??= trace.setSpanContext(ROOT_CONTEXT, {
      traceId: this.traceId,
      spanId: this.#spanId,
      traceFlags: TraceFlags.NONE,
    })
    return this.#context
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
      if (decision === api.SamplingDecision.NOT_RECORD) return new UnsampledTrace(api, traceId, newId(8))
      decided = traceId
      return undefined
    },
  }
}

/** Random bytes in hexadecimal, drawn for many ids at once. */
function createIds(): (bytes: number) => string {
  const drawn = Buffer.alloc(4096)
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
