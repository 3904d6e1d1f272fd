import * as api from '@opentelemetry/api'
import { NodeTracerProvider, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node'
import test from 'ava'
import { createHeadSampling, UnsampledTrace } from '../../src/telemetry/head-sampling.js'

/** The share of all traces that is sampled, and the ids that the sampler was asked about. */
function aSampling(share: number) {
  const sampler = new TraceIdRatioBasedSampler(share)
  const asked: string[] = []
  const sampling = createHeadSampling(api, {
    shouldSample(context, traceId) {
      asked.push(traceId)
      return sampler.shouldSample(context, traceId)
    },
  })
  const { idGenerator } = sampling
  return { asked, sampling, tracer: new NodeTracerProvider({ sampler, idGenerator }).getTracer('test') }
}

test('a trace that is sampled has the id that was decided about', (t) => {
  const { asked, sampling, tracer } = aSampling(0.5)
  let sampled = 0
  for (let count = 0; count < 1000; count++) {
    if (sampling.begin('GET') !== undefined) continue
    sampled++
    const span = tracer.startSpan('GET', {}, api.ROOT_CONTEXT)
    t.is(span.spanContext().traceId, asked.at(-1) ?? '')
    t.true(span.isRecording())
    // The next one begins by itself, as that of a trusted proxy's request.
    t.not(tracer.startSpan('GET', {}, api.ROOT_CONTEXT).spanContext().traceId, asked.at(-1) ?? '')
  }
  t.true(sampled > 300 && sampled < 700, String(sampled))
})

test('a trace that is not sampled has ids of its own, the one that the sampler was asked about for an API too', (t) => {
  const { asked, sampling } = aSampling(0)
  const seen = new Set<string>()
  for (let count = 0; count < 1000; count++) {
    const trace = sampling.begin('GET')
    if (!(trace instanceof UnsampledTrace)) return t.fail()
    t.is(trace.traceId, asked.at(-1) ?? '')
    t.regex(trace.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    t.is(trace.traceparent.split('-')[1], trace.traceId)
    seen.add(trace.traceparent)
  }
  t.is(seen.size, 1000)
})
