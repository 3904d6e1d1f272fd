import { randomFillSync } from 'node:crypto'
import type * as OpenTelemetry from '@opentelemetry/api'
import { spanContextOf } from './span.js'
import { Trace } from './trace.js'

/*
 * The sampler decides whether a trace is sampled when the trace begins, by its id. It is asked for several traces that are to come. What is not
 * sampled has two ids and nothing else.
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
  /** A trace that begins with a request. */
  begin(): Trace
  /** A new span of a peer's trace: the peer has a say in whether it is sampled, where the sampler lets it. */
  goOn(peer: Trace): Trace
  /** A new span of a trace of ours. */
  part(whole: Trace): Trace
}

/** Traces that are decided about at once: one by one, between all else that a request needs, a decision takes three times as long. */
const decidedAtOnce = 16

export function createHeadSampling(api: typeof OpenTelemetry, sampler: Sampler): HeadSampling {
  const newId = createIds()
  const isSampled = (context: OpenTelemetry.Context, traceId: string): boolean => {
    const { decision } = sampler.shouldSample(context, traceId, 'request', api.SpanKind.SERVER, {}, [])
    return decision !== api.SamplingDecision.NOT_RECORD
  }
  /** @param digits hexadecimal, of all ids: one that is kept keeps them all */
  const decide = (digits: string): Trace[] =>
    Array.from({ length: decidedAtOnce }, (_, index) => {
      const begin = index * 48
      const traceId = digits.slice(begin, begin + 32)
      return new Trace(traceId, digits.slice(begin + 32, begin + 48), isSampled(api.ROOT_CONTEXT, traceId))
    })
  /** To come, the next one last. */
  let decided: Trace[] = []
  return {
    begin() {
      for (;;) {
        const trace = decided.pop()
        if (trace !== undefined) return trace
        decided = decide(newId(decidedAtOnce * 24))
      }
    },
    goOn(peer) {
      const context = api.trace.setSpanContext(api.ROOT_CONTEXT, spanContextOf(api, peer, true))
      return new Trace(peer.traceId, newId(8), isSampled(context, peer.traceId), peer.state)
    },
    part: ({ traceId, isSampled, state }) => new Trace(traceId, newId(8), isSampled, state),
  }
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
