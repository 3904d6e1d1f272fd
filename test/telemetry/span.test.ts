import * as api from '@opentelemetry/api'
import { defaultResource } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import test from 'ava'
import { Span, type SpanOptions } from '../../src/telemetry/span.js'
import { Trace } from '../../src/telemetry/trace.js'
import { eventually } from '../_eventually.js'

function someSpans() {
  const told: ReadableSpan[] = []
  const source = {
    api,
    processor: { onEnd: (span: ReadableSpan) => void told.push(span) },
    resource: defaultResource(),
    instrumentationScope: { name: 'test' },
  }
  const begin = (name: string, trace: Trace, options: Partial<SpanOptions> = {}): Span =>
    new Span(source, name, trace, { kind: 'internal', attributes: {}, ...options })
  return { told, begin }
}

const aTrace = (spanId: string): Trace => new Trace('4bf92f3577b34da6a3ce929d0e0e4736', spanId, true, 'a=1')

const milliseconds = ([seconds, nanoseconds]: api.HrTime): number => seconds * 1000 + nanoseconds / 1e6

test('an exporter reads of a span that has ended: ids, parent, link, kind, what failed', (t) => {
  const { told, begin } = someSpans()
  const link = new Trace('1'.repeat(32), '2'.repeat(16), false)
  const whole = begin('GET', aTrace('a'.repeat(16)), {
    parent: aTrace('00f067aa0ba902b7'),
    isRemote: true,
    link,
    kind: 'server',
  })
  const part = begin('upstream', aTrace('b'.repeat(16)), {
    parent: whole.trace,
    kind: 'client',
    attributes: { 'server.address': 'api' },
  })
  t.false(part.ended)
  part.failure = 'unreachable'
  part.end()
  whole.name = 'GET /api'
  whole.end()

  t.deepEqual(told, [part, whole])
  const [upstream, call] = told
  if (upstream === undefined || call === undefined) return t.fail('two spans')
  t.like(upstream, {
    name: 'upstream',
    kind: api.SpanKind.CLIENT,
    ended: true,
    attributes: { 'server.address': 'api' },
  })
  t.like(upstream.spanContext(), { traceId: whole.trace.traceId, spanId: 'b'.repeat(16), traceFlags: 1 })
  t.like(upstream.parentSpanContext, { spanId: 'a'.repeat(16), isRemote: false })
  t.deepEqual(upstream.status, { code: api.SpanStatusCode.ERROR, message: 'unreachable' })
  t.like(call, { name: 'GET /api', kind: api.SpanKind.SERVER, status: { code: api.SpanStatusCode.UNSET } })
  t.is(call.spanContext().traceState?.serialize(), 'a=1')
  t.like(call.parentSpanContext, { spanId: '00f067aa0ba902b7', isRemote: true })
  t.like(call.links[0]?.context, { traceId: link.traceId, spanId: link.spanId, traceFlags: 0 })
})

test('a span that failed without a code says that it failed, and nothing else', (t) => {
  const { begin } = someSpans()
  const span = begin('GET', aTrace('a'.repeat(16)))
  span.failure = ''
  span.end()
  t.deepEqual(span.status, { code: api.SpanStatusCode.ERROR })
})

test('a span takes as long as it took, whenever it is read', async (t) => {
  const { begin } = someSpans()
  const [before, clock] = [Date.now(), performance.now()]
  const span = begin('proof', aTrace('a'.repeat(16)))
  await eventually(() => performance.now() - clock > 20)
  const least = performance.now() - clock - 2
  span.end()
  const most = performance.now() - clock
  await eventually(() => performance.now() - clock > most + 20)

  const [began, ended, took] = [span.startTime, span.endTime, span.duration].map(milliseconds)
  if (began === undefined || ended === undefined || took === undefined) return t.fail()
  t.true(began >= before && began <= before + 20, String(began - before))
  t.true(took >= least && took <= most, String(took))
  t.true(Math.abs(ended - began - took) < 0.01)
})
