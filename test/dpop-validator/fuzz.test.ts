import test from 'ava'
import { adapters } from './_apis.js'
import { fuzz, fuzzOverHttp, isCleanedUp, type Variant, variants } from './_fuzz.js'

/** `.ci/run` has four times as many, and `npm run fuzz` a million. */
const count = 5_000

test(`${count} broken requests: none is accepted, none throws, each answer is one of ours`, async (t) => {
  const { failures, outcomes } = await fuzz(count, 20_261_122)
  t.deepEqual(failures, [])
  for (const outcome of ['accepted', 'invalid_request', 'invalid_token', 'invalid_dpop_proof', 'missing_credentials'])
    t.true((outcomes[outcome] ?? 0) >= count / 500, `${outcome}: ${outcomes[outcome]}`)
})

for (const variant of Object.keys(variants) as Variant[])
  test(`2,000 broken requests, set up otherwise (${variant})`, async (t) => {
    const { failures, outcomes } = await fuzz(2_000, 20_261_125, variant)
    t.deepEqual(failures, [])
    t.is(outcomes.accepted !== undefined && outcomes.accepted >= 4, true)
  })

for (const [name, startApi] of Object.entries(adapters))
  test(`500 broken requests over HTTP to ${name}: none is accepted, none is a 500, each is answered`, async (t) => {
    const { failures, outcomes } = await fuzzOverHttp(
      500,
      20_261_124,
      startApi,
      name === 'fetch' ? isCleanedUp : undefined,
    )
    t.deepEqual(failures, [])
    t.true((outcomes['200'] ?? 0) > 0 && (outcomes['400'] ?? 0) > 40 && (outcomes['401'] ?? 0) > 200, name)
  })
