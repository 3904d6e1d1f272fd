import test from 'ava'
import { bulk } from '../../endurance/_bulk.js'

// Scaled down: `npm run test:endurance` has 1 GB each way, and looks at the memory.
test('large bodies pass both ways, every byte of them', async (t) => {
  const { line, failures } = await bulk({ size: 67_108_864 })
  t.log(line)
  t.deepEqual(failures, [])
})
