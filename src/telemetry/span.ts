import type * as OpenTelemetry from '@opentelemetry/api'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-node'
import type { Trace } from './trace.js'

/*
 * A span is notes until it has ended; OpenTelemetry's exporter reads the rest of it when it sends many. The SDK's own spans do
 * all of their work between what a request needs, where code that only one call of a hundred runs is slow: 80 µs for each span.
 */

/** What all spans have in common. */
export interface SpanSource {
  readonly api: typeof OpenTelemetry
  /** Takes spans that have ended. */
  readonly processor: Pick<SpanProcessor, 'onEnd'>
  readonly resource: ReadableSpan['resource']
  readonly instrumentationScope: ReadableSpan['instrumentationScope']
}

export interface SpanOptions {
  readonly kind: 'server' | 'client' | 'internal'
  readonly attributes: OpenTelemetry.Attributes
  /** What it is a part of. Absent: a trace begins with it. */
  readonly parent?: Trace | undefined
  /** Whether that is a span of a trusted peer. Default: no */
  readonly isRemote?: boolean
  /** A trace that has to do with it and that it is no part of. */
  readonly link?: Trace | undefined
}

/** Begins when it is made. */
export class Span implements ReadableSpan {
  name: string
  readonly trace: Trace
  readonly attributes: OpenTelemetry.Attributes
  readonly parentSpanContext?: OpenTelemetry.SpanContext
  readonly events = []
  readonly droppedAttributesCount = 0
  readonly droppedEventsCount = 0
  readonly droppedLinksCount = 0
  /** Why it failed, as a code; empty where no code is known. Undefined: it did not. */
  failure: string | undefined
  readonly #source: SpanSource
  readonly #options: SpanOptions
  /** Milliseconds since the epoch. */
  readonly #began = Date.now()
  /** The same moment, by `performance.now()`: an administrator may set the system's clock before the span ends. */
  readonly #monotonic = performance.now()
  /** Milliseconds. Undefined until it has ended. */
  #took: number | undefined

  constructor(source: SpanSource, name: string, trace: Trace, options: SpanOptions) {
    this.name = name
    this.trace = trace
    this.attributes = options.attributes
    this.#source = source
    this.#options = options
    const { parent, isRemote = false } = options
    if (parent !== undefined) this.parentSpanContext = spanContextOf(source.api, parent, isRemote)
  }

  end(): void {
    this.#took = performance.now() - this.#monotonic
    this.#source.processor.onEnd(this)
  }

  get ended(): boolean {
    return this.#took !== undefined
  }

  get kind(): OpenTelemetry.SpanKind {
    const { SpanKind } = this.#source.api
    return { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }[this.#options.kind]
  }

  spanContext(): OpenTelemetry.SpanContext {
    return spanContextOf(this.#source.api, this.trace, false)
  }

  get links(): OpenTelemetry.Link[] {
    const { link } = this.#options
    return link === undefined ? [] : [{ context: spanContextOf(this.#source.api, link, true) }]
  }

  get status(): OpenTelemetry.SpanStatus {
    const { SpanStatusCode } = this.#source.api
    if (this.failure === undefined) return { code: SpanStatusCode.UNSET }
    return { code: SpanStatusCode.ERROR, ...(this.failure !== '' && { message: this.failure }) }
  }

  get startTime(): OpenTelemetry.HrTime {
    return timeOf(this.#began)
  }

  get endTime(): OpenTelemetry.HrTime {
    return timeOf(this.#began + (this.#took ?? 0))
  }

  get duration(): OpenTelemetry.HrTime {
    return timeOf(this.#took ?? 0)
  }

  get resource(): ReadableSpan['resource'] {
    return this.#source.resource
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.#source.instrumentationScope
  }
}

/** A trace as OpenTelemetry has it. */
export function spanContextOf(
  { TraceFlags, createTraceState }: typeof OpenTelemetry,
  { traceId, spanId, isSampled, state }: Trace,
  isRemote: boolean,
): OpenTelemetry.SpanContext {
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  return { traceId, spanId, traceFlags, isRemote, ...(state !== undefined && { traceState: createTraceState(state) }) }
}

/** Seconds and nanoseconds. */
function timeOf(milliseconds: number): OpenTelemetry.HrTime {
  const seconds = Math.floor(milliseconds / 1000)
  return [seconds, Math.round((milliseconds - seconds * 1000) * 1e6)]
}
