import test from 'ava'
import { abandonedCalls } from '../endurance/_abandoned-calls.js'

// Scaled down: `npm run test:endurance` has ten thousand of them, and looks at the memory.
test('calls and WebSockets that are given up in every phase leave no connection, no handle and no exception (node-http-proxy issue 1510)', async (t) => {
  const { line, failures } = await abandonedCalls({ count: 800, parallel: 200, seed: 1 })
  t.log(line)
  t.deepEqual(failures, [])
})
