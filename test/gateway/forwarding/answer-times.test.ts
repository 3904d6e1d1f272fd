import test from 'ava'
import { createAnswerTimes } from '../../../src/gateway/forwarding/answer-times.js'

const minute = 60_000

test('the mean and what 95 of 100 answers take are told, to within a fifth', (t) => {
  const times = createAnswerTimes()
  t.is(times.recent(0), undefined)
  for (let call = 0; call < 94; call++) times.add(10, 1000)
  for (let call = 0; call < 6; call++) times.add(900, 1000)
  const { calls = 0, mean = 0, p95 = 0 } = times.recent(2000) ?? {}
  t.is(calls, 100)
  t.is(mean, 0.0634)
  t.true(p95 >= 0.9 && p95 <= 0.9 * 1.2, `${p95}`)
})

test('a single answer is told as it was, however short or long', (t) => {
  for (const took of [0, 0.01, 0.3, 17, 1000, 3_600_000]) {
    const times = createAnswerTimes()
    times.add(took, minute)
    const seconds = Math.round(took * 10) / 10_000
    t.like(times.recent(minute), { calls: 1, mean: seconds })
    t.true((times.recent(minute)?.p95 ?? 0) <= seconds || took > 200_000, `${took}`)
  }
})

test('an answer is forgotten after five minutes, and its place is taken by later ones', (t) => {
  const times = createAnswerTimes()
  times.add(5000, 0)
  times.add(10, 4.9 * minute)
  t.is(times.recent(4.9 * minute)?.calls, 2)
  t.deepEqual(times.recent(5 * minute), { calls: 1, mean: 0.01, p95: 0.01 })
  times.add(20, 5.5 * minute)
  t.deepEqual(times.recent(5.5 * minute), { calls: 2, mean: 0.015, p95: 0.02 })
  t.is(times.recent(11 * minute), undefined)
})
