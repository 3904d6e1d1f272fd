import test from 'ava'
import { madeAndClosed, products } from '../endurance/_made-and-closed.js'

// `npm run test:endurance` does it a thousand times, and looks at the heap.
for (const what of Object.keys(products) as (keyof typeof products)[])
  test.serial(`${what} that is made and closed leaves no handle`, async (t) => {
    const { line, failures } = await madeAndClosed({ what, times: 20 })
    t.log(line)
    t.deepEqual(failures, [])
  })
