import test from 'ava'
import { withMutualTls } from './_client-security.js'
import { planFor, signedTestPlan, testPlan } from './authorization-server/_plan.js'
import { clientPlanFor, clientTestPlan, signedClientTestPlan } from './client/_modules.js'

interface Module {
  readonly name: string
  readonly openidOnly?: boolean
}

/** Modules of a plan, each counted once: all of them, and those of `plain_oauth`. */
const counted = (plan: readonly Module[]): [number, number] => [
  new Set(plan.map(({ name }) => name)).size,
  plan.filter(({ openidOnly }) => !openidOnly).length,
]

test('the server plan has the 56 modules of openid_connect and the 50 of plain_oauth, each once', (t) => {
  t.deepEqual(counted(testPlan), [56, 50])
})

test('with signed requests it has 70 and 64', (t) => {
  t.deepEqual(counted(signedTestPlan), [70, 64])
})

test('with mutual TLS, fewer: what is about proofs, and what is about assertions, does not apply', (t) => {
  const counts = withMutualTls.flatMap((security) =>
    [testPlan, signedTestPlan].map((plan) => counted(planFor(plan, security))),
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

test('the client plan has the 22 modules of oidc and the 10 of plain_oauth, each once', (t) => {
  t.deepEqual(counted(clientTestPlan), [22, 10])
})

test('with signed answers it has 28 and 16', (t) => {
  t.deepEqual(counted(signedClientTestPlan), [28, 16])
})

test('where tokens are bound to certificates, two fewer', (t) => {
  const counts = withMutualTls.flatMap((security) =>
    [clientTestPlan, signedClientTestPlan].map((plan) => counted(clientPlanFor(plan, security))),
  )
  t.deepEqual(counts, [
    [20, 8],
    [26, 14],
    [22, 10],
    [28, 16],
    [20, 8],
    [26, 14],
  ])
})
