import * as api from '@opentelemetry/api'
import { AlwaysOffSampler, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node'
import test from 'ava'
import { createHeadSampling } from '../../src/telemetry/head-sampling.js'
import { Trace } from '../../src/telemetry/trace.js'

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
  return { said, sampling }
}

test('a trace is sampled where the sampler has said so of its id, and has two ids of its own in each case', (t) => {
  const { said, sampling } = aSampling(0.5)
  const seen = new Set<string>()
  let sampled = 0
  for (let count = 0; count < 1000; count++) {
    const trace = sampling.begin()
    t.is(said.get(trace.traceId), trace.isSampled)
    const [, traceId = '', spanId = '', flags] =
      /^00-([0-9a-f]{32})-([0-9a-f]{16})-(\d\d)$/.exec(trace.traceparent) ?? []
    t.deepEqual([traceId, spanId, flags], [trace.traceId, trace.spanId, trace.isSampled ? '01' : '00'])
    seen.add(traceId).add(spanId)
    if (trace.isSampled) sampled++
  }
  t.is(seen.size, 2000)
  t.true(sampled > 300 && sampled < 700, String(sampled))
})

test('a part of a trace is a span of its own in it', (t) => {
  const { sampling } = aSampling(1)
  const whole = new Trace('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', true, 'a=1')
  const parts = [sampling.part(whole), sampling.part(whole)]
  for (const part of parts) t.like(part, { traceId: whole.traceId, isSampled: true, state: 'a=1' })
  t.is(new Set([whole, ...parts].map(({ spanId }) => spanId)).size, 3)
})

test("a peer has a say in whether its trace is sampled, where the sampler asks for the parent's choice", (t) => {
  const sampling = createHeadSampling(api, new ParentBasedSampler({ root: new AlwaysOffSampler() }))
  t.false(sampling.begin().isSampled)
  for (const isSampled of [true, false]) {
    const peer = new Trace('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', isSampled, 'a=1')
    const trace = sampling.goOn(peer)
    t.like(trace, { traceId: peer.traceId, isSampled, state: 'a=1' })
    t.not(trace.spanId, peer.spanId)
  }
  t.false(
    createHeadSampling(api, new AlwaysOffSampler()).goOn(new Trace('4'.repeat(32), '7'.repeat(16), true, undefined))
      .isSampled,
  )
})
