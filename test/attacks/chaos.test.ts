import test from 'ava'
import { chaos } from '../endurance/_chaos.js'

// Scaled down: `npm run test:endurance` has minutes of it, and looks at the memory.
test('an upstream that does everything wrong under load: no crash, nobody gets the answer of another, and each fault its code', async (t) => {
  const { line, failures } = await chaos({ seconds: 2, parallel: 48, seed: 1 })
  t.log(line)
  t.deepEqual(failures, [])
})
