import test from 'ava'
import { stalled } from '../endurance/_stalled.js'

// Scaled down: `npm run test:endurance` has more and larger ones.
test('who stops reading, client or upstream, holds the other end back and costs next to nothing', async (t) => {
  const { line, failures } = await stalled({ count: 16, size: 33_554_432, growthLimit: 96 * 1_048_576 })
  t.log(line)
  t.deepEqual(failures, [])
})
