import * as api from '@opentelemetry/api'
import { NodeTracerProvider, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node'
import test from 'ava'
import { createHeadSampling, UnsampledTrace } from '../../src/telemetry/head-sampling.js'

/** The share of all traces that is sampled, and what the sampler has said of each id that it was asked about. */
function aSampling(share: number) {
  const sampler = new TraceIdRatioBasedSampler(share)
  const said = new Map<string, boolean>()
  const sampling = createHeadSampling(api, {
    shouldSample(context, traceId) {
      const answer = sampler.shouldSample(context, traceId)
      said.set(traceId, answer.decision === api.SamplingDecision.RECORD_AND_SAMPLED)
      return answer
    },
  })
  const { idGenerator } = sampling
  return { said, sampling, tracer: new NodeTracerProvider({ sampler, idGenerator }).getTracer('test') }
}

test('a trace that is sampled has an id of which the sampler has said so', (t) => {
  const { said, sampling, tracer } = aSampling(0.5)
  const seen = new Set<string>()
  for (let count = 0; count < 1000; count++) {
    const unsampled = sampling.begin()
    const span = unsampled ?? tracer.startSpan('GET', {}, api.ROOT_CONTEXT).spanContext()
    t.is(said.get(span.traceId), unsampled === undefined)
    seen.add(span.traceId)
    // One that begins by itself, as that of a trusted proxy's request, has an id of its own.
    if (unsampled === undefined) t.false(said.has(tracer.startSpan('GET', {}, api.ROOT_CONTEXT).spanContext().traceId))
  }
  t.is(seen.size, 1000)
  const sampled = [...seen].filter((id) => said.get(id)).length
  t.true(sampled > 300 && sampled < 700, String(sampled))
})

test('a trace that is not sampled has two ids of its own, for the log and for the API', (t) => {
  const { said, sampling } = aSampling(0)
  const seen = new Set<string>()
  for (let count = 0; count < 1000; count++) {
    const trace = sampling.begin()
    if (!(trace instanceof UnsampledTrace)) return t.fail()
    t.is(said.get(trace.traceId), false)
    const [, version, traceId = '', spanId = '', flags] =
      /^(\d\d)-([0-9a-f]{32})-([0-9a-f]{16})-(\d\d)$/.exec(trace.traceparent) ?? []
    t.deepEqual([version, traceId, flags], ['00', trace.traceId, '00'])
    seen.add(traceId).add(spanId)
  }
  t.is(seen.size, 2000)
})
