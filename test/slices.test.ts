import test from 'ava'
import { atOnce, inSlices, type Sliced } from '../src/slices.js'

function* busy(times: number): Sliced<string> {
  for (let time = 0; time < times; time++) {
    const until = performance.now() + 12
    while (performance.now() < until);
    yield
  }
  return 'done'
}

/** How often something else had its turn meanwhile. */
async function turnsOf(work: () => Promise<unknown> | unknown): Promise<number> {
  let turns = 0
  const ticking = setInterval(() => turns++, 1)
  await work()
  clearInterval(ticking)
  return turns
}

test('work in slices comes to the same, and others have their turn after each', async (t) => {
  t.is(await inSlices(busy(1)), 'done')
  t.true((await turnsOf(() => inSlices(busy(8)))) >= 8)
})

test('work at once comes to the same, and nothing else has its turn', async (t) => {
  t.is(atOnce(busy(1)), 'done')
  t.is(await turnsOf(() => atOnce(busy(3))), 0)
})

test('an error in a slice is that of the whole', async (t) => {
  const broken = function* (): Sliced<never> {
    yield
    throw new RangeError('in the second slice')
  }
  await t.throwsAsync(inSlices(broken()), { instanceOf: RangeError })
  t.throws(() => atOnce(broken()), { instanceOf: RangeError })
})
