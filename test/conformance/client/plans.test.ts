import test from 'ava'
import { withMutualTls } from '../_client-security.js'
import { clientPlanFor, clientTestPlan, signedClientTestPlan } from './_modules.js'

test('the client plan has the 22 modules of oidc and the 10 of plain_oauth, each once', (t) => {
  t.is(new Set(clientTestPlan.map(({ name }) => name)).size, 22)
  t.is(clientTestPlan.filter(({ openidOnly }) => !openidOnly).length, 10)
})

test('with signed answers it has 28 and 16', (t) => {
  t.is(new Set(signedClientTestPlan.map(({ name }) => name)).size, 28)
  t.is(signedClientTestPlan.filter(({ openidOnly }) => !openidOnly).length, 16)
})

test('where tokens are bound to certificates, two fewer', (t) => {
  const counts = withMutualTls.flatMap((security) =>
    [clientTestPlan, signedClientTestPlan].map((plan) => {
      const modules = clientPlanFor(plan, security)
      return [modules.length, modules.filter(({ openidOnly }) => !openidOnly).length]
    }),
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
