import test from 'ava'
import { fuzz } from './_fuzz.js'

test('20,000 broken requests: none is accepted, none throws, each answer is one of ours', async (t) => {
  const { failures, outcomes } = await fuzz(20_000, 20_261_122)
  t.deepEqual(failures, [])
  for (const outcome of ['accepted', 'invalid_request', 'invalid_token', 'invalid_dpop_proof', 'missing_credentials'])
    t.true((outcomes[outcome] ?? 0) >= 40, `${outcome}: ${outcomes[outcome]}`)
})
