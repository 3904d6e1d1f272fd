import test from 'ava'
import { readTrace, Trace, writeTrace } from '../../src/telemetry/trace.js'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

test('a trace is read from the fields of a request as it was written into them', (t) => {
  for (const trace of [new Trace(traceId, spanId, true, 'a=1,b=2'), new Trace(traceId, spanId, false)]) {
    const fields: Record<string, string> = {}
    writeTrace(fields, trace)
    t.deepEqual(readTrace(fields), trace)
  }
  t.deepEqual(Object.keys(fieldsOf(new Trace(traceId, spanId, true))), ['traceparent'])
})

function fieldsOf(trace: Trace): Record<string, string> {
  const fields: Record<string, string> = {}
  writeTrace(fields, trace)
  return fields
}

test('of the flags only the one for sampling counts, and a later version may say more', (t) => {
  for (const [traceparent, isSampled] of [
    [`00-${traceId}-${spanId}-ff`, true],
    [`00-${traceId}-${spanId}-fe`, false],
    [`cc-${traceId}-${spanId}-01`, true],
    [`cc-${traceId}-${spanId}-01-what-the-future-has`, true],
  ] as const)
    t.deepEqual(readTrace({ traceparent }), new Trace(traceId, spanId, isSampled), traceparent)
})

test('a state that is longer than others have to pass on is not kept', (t) => {
  const traceparent = `00-${traceId}-${spanId}-01`
  t.is(readTrace({ traceparent, tracestate: `a=${'1'.repeat(510)}` })?.state?.length, 512)
  t.deepEqual(readTrace({ traceparent, tracestate: `a=${'1'.repeat(511)}` }), new Trace(traceId, spanId, true))
})

for (const [what, traceparent] of [
  ['no field', undefined],
  ['more than a later version can have to say', `cc-${traceId}-${spanId}-01-${'a'.repeat(500)}`],
  ['an empty field', ''],
  ['two fields', [`00-${traceId}-${spanId}-01`, `00-${traceId}-${spanId}-01`]],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
  ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
  ['capital letters', `00-${traceId.toUpperCase()}-${spanId}-01`],
  ['a version that will never be', `ff-${traceId}-${spanId}-01`],
  ['more than version 00 has', `00-${traceId}-${spanId}-01-more`],
  ['fewer digits', `00-${traceId.slice(1)}-${spanId}-01`],
  ['something before it', ` 00-${traceId}-${spanId}-01`],
] as const)
  test(`no trace is read from ${what}`, (t) => {
    t.is(readTrace({ traceparent: traceparent as string | string[] | undefined, tracestate: 'a=1' }), undefined)
  })
