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
  [{ claim: '', anyOf: ['staff'] }, 'Claim'],
  [{ claim: 'realm..roles', anyOf: ['staff'] }, 'Claim'],
  [{ claim: [], anyOf: ['staff'] }, 'Claim'],
  [{ claim: ['realm', ''], anyOf: ['staff'] }, 'Claim'],
  [{ claim: 'roles', anyOf: [] }, 'AnyOf'],
  [{ claim: 'roles', anyOf: [''] }, 'AnyOf'],
] as const)
  test(`createGateway refuses ${JSON.stringify(rule)}, on a frontend and on a route`, (t) => {
    t.deepEqual(
      [...accessProblems(options(rule))].map((problem) => problem.member),
      [`Access/0/${member}`, `Routes/0/Access/0/${member}`],
    )
  })

for (const [tokenType, count] of [
  ['User', 0],
  ['Client', 0],
  ['UserOrNone', 1],
  ['None', 1],
] as const)
  test(`a rule on a route with tokenType ${tokenType} is ${count === 0 ? 'in order' : 'refused'}`, (t) => {
    t.is([...accessProblems(options({ claim: 'roles', anyOf: ['staff'] }, tokenType))].length, count)
  })
