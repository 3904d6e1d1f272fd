import test from 'ava'
import { createWindowedCounts } from '../../../src/http/limits/windowed-counts.js'

test('a key is over its limit until its window ends', (t) => {
  let time = 0
  const counts = createWindowedCounts({ window: 60, now: () => time })
  for (let i = 0; i < 3; i++) counts.add('a')
  t.is(counts.wait('a', 4), 0)
  t.is(counts.wait('a', 3), 60)
  t.is(counts.wait('b', 3), 0)
  time = 59.5
  t.is(counts.wait('a', 3), 1)
  time = 60
  t.is(counts.wait('a', 3), 0)
  counts.add('a')
  t.is(counts.wait('a', 1), 60)
})

test('what is taken back counts no more', (t) => {
  const counts = createWindowedCounts({ window: 60 })
  counts.add('a')
  counts.add('a')
  counts.remove('a')
  t.is(counts.wait('a', 2), 0)
  t.true(counts.wait('a', 1) > 0)
  counts.remove('a')
  counts.remove('a')
  t.is(counts.wait('a', 1), 0)
})

test('the number of keys has an end: the window that began first is given up', (t) => {
  const counts = createWindowedCounts({ window: 60, maxKeys: 3 })
  for (const key of ['a', 'b', 'c', 'd']) counts.add(key)
  t.is(counts.wait('a', 1), 0)
  for (const key of ['b', 'c', 'd']) t.true(counts.wait(key, 1) > 0, key)
})
