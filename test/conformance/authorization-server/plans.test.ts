import test from 'ava'
import { withMutualTls } from '../_client-security.js'
import { planFor, signedTestPlan, testPlan } from './_plan.js'

test('the plan has the 56 modules of openid_connect and the 50 of plain_oauth, each once', (t) => {
  t.is(new Set(testPlan.map(({ name }) => name)).size, 56)
  t.is(testPlan.filter(({ openidOnly }) => !openidOnly).length, 50)
})

test('with signed requests it has 70 and 64', (t) => {
  t.is(new Set(signedTestPlan.map(({ name }) => name)).size, 70)
  t.is(signedTestPlan.filter(({ openidOnly }) => !openidOnly).length, 64)
})

test('with mutual TLS, fewer: what is about proofs, and what is about assertions, does not apply', (t) => {
  const counts = withMutualTls.flatMap((security) =>
    [testPlan, signedTestPlan].map((plan) => {
      const modules = planFor(plan, security)
      return [modules.length, modules.filter(({ openidOnly }) => !openidOnly).length]
    }),
  )
  t.deepEqual(counts, [
    [47, 41],
    [61, 55],
    [46, 40],
    [60, 54],
    [37, 31],
    [51, 45],
  ])
})
