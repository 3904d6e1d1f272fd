import test from 'ava'
import fc from 'fast-check'
import { createSlabs, type Kept } from '../../src/store/slabs.js'

test('no two things are kept in one place, whatever comes and goes', (t) => {
  const step = fc.record({ length: fc.integer({ min: 1, max: 400_000 }), drop: fc.option(fc.nat()) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const slabs = createSlabs()
      const all: { readonly kept: Kept; readonly mark: number }[] = []
      for (const [index, { length, drop }] of steps.entries()) {
        const [gone] = drop === null || all.length === 0 ? [] : all.splice(drop % all.length, 1)
        if (gone !== undefined) slabs.drop(gone.kept)
        const kept = slabs.keep(length)
        kept.slab.bytes.fill(index, kept.at, kept.at + length)
        all.push({ kept, mark: index })
      }
      for (const { kept, mark } of all)
        t.true(kept.slab.bytes.subarray(kept.at, kept.at + kept.length).every((byte) => byte === mark))
    }),
    { numRuns: 200 },
  )
})

test('places that were given back are used again before there is another slab', (t) => {
  const slabs = createSlabs()
  const first = Array.from({ length: 1000 }, () => slabs.keep(2700))
  const before = new Set(first.map(({ slab }) => slab))
  for (const kept of first.filter((_, index) => index % 2 === 0)) slabs.drop(kept)
  const again = Array.from({ length: 500 }, () => slabs.keep(2700))
  t.true(again.every(({ slab }) => before.has(slab)))
})

test('a slab of which nothing is used is let go, but for one', (t) => {
  const slabs = createSlabs()
  const all = Array.from({ length: 1000 }, () => slabs.keep(2700))
  const filled = new Set(all.map(({ slab }) => slab))
  for (const kept of all) slabs.drop(kept)
  const next = Array.from({ length: 1000 }, () => slabs.keep(2700))
  t.is([...new Set(next.map(({ slab }) => slab))].filter((slab) => filled.has(slab)).length, 1)
})
