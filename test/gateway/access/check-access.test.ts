import test from 'ava'
import { accessProblems } from '../../../src/gateway/access/check-access.js'
import type { AccessRule, TokenType } from '../../../src/gateway/route-options.js'
import { aFrontend, aRoute } from '../_gateway.js'

const options = (rule: AccessRule, tokenType: TokenType = 'User') =>
  aFrontend({
    publicUrl: new URL('https://app.example'),
    authority: 'https://auth.example',
    access: [rule],
    routes: [aRoute({ upstreams: [new URL('http://orders')], access: [rule], tokenType })],
  })

for (const [rule, member] of [
  [{ claim: '', anyOf: ['staff'] }, 'claim'],
  [{ claim: 'realm..roles', anyOf: ['staff'] }, 'claim'],
  [{ claim: [], anyOf: ['staff'] }, 'claim'],
  [{ claim: ['realm', ''], anyOf: ['staff'] }, 'claim'],
  [{ claim: 'roles', anyOf: [] }, 'anyOf'],
  [{ claim: 'roles', anyOf: [''] }, 'anyOf'],
] as const)
  test(`createGateway refuses ${JSON.stringify(rule)}, on a frontend and on a route`, (t) => {
    t.deepEqual(
      [...accessProblems(options(rule))].map((problem) => problem.member),
      [`access/0/${member}`, `routes/0/access/0/${member}`],
    )
  })

for (const [tokenType, count] of [
  ['User', 0],
  ['Client', 0],
  ['UserOrNone', 1],
  ['UserOrClient', 1],
  ['None', 1],
] as const)
  test(`a rule on a route with tokenType ${tokenType} is ${count === 0 ? 'in order' : 'refused'}`, (t) => {
    t.is([...accessProblems(options({ claim: 'roles', anyOf: ['staff'] }, tokenType))].length, count)
  })
