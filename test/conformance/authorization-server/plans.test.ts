import test from 'ava'
import { signedTestPlan, testPlan } from './_plan.js'

test('the plan has the 56 modules of openid_connect and the 50 of plain_oauth, each once', (t) => {
  t.is(new Set(testPlan.map(({ name }) => name)).size, 56)
  t.is(testPlan.filter(({ openidOnly }) => !openidOnly).length, 50)
})

test('with signed requests it has 70 and 64', (t) => {
  t.is(new Set(signedTestPlan.map(({ name }) => name)).size, 70)
  t.is(signedTestPlan.filter(({ openidOnly }) => !openidOnly).length, 64)
})
