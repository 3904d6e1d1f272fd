import test from 'ava'
import { bulk } from '../../endurance/_bulk.js'

// Scaled down: `npm run test:endurance` has 1 GB each way.
test('large bodies pass both ways, every byte of them, and none stays in memory', async (t) => {
  const { line, failures } = await bulk({ size: 134_217_728, growthLimit: 64 * 1_048_576 })
  t.log(line)
  t.deepEqual(failures, [])
})
