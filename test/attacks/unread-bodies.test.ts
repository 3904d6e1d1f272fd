import test from 'ava'
import { stalled } from '../endurance/_stalled.js'

// Scaled down: `npm run test:endurance` has more and larger ones, and looks at the memory.
test('who stops reading, client or upstream, holds the other end back, and has everything when it reads on', async (t) => {
  const { line, failures } = await stalled({ count: 16, size: 33_554_432 })
  t.log(line)
  t.deepEqual(failures, [])
})
