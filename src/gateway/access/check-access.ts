import { claimPath } from '../../http/claim.js'
import type { MemberProblem } from '../frontend/member-problem.js'
import type { FrontendOptions } from '../options.js'
import type { AccessRule, RouteOptions } from '../route-options.js'

/** Rules that no user could satisfy, and rules on routes that look at no user. */
export function* accessProblems({ access = [], routes }: FrontendOptions): Generator<MemberProblem> {
  yield* ruleProblems(access, 'access')
  for (const [index, route] of routes.entries()) {
    yield* ruleProblems(route.access ?? [], `routes/${index}/access`)
    yield* tokenTypeProblems(route, `routes/${index}`)
  }
}

function* ruleProblems(rules: readonly AccessRule[], at: string): Generator<MemberProblem> {
  for (const [index, { claim, anyOf }] of rules.entries()) {
    const path = claimPath(claim)
    if (path.length === 0 || path.includes(''))
      yield {
        member: `${at}/${index}/claim`,
        problem: 'is not the name of a claim',
        remedy: 'Write it as in "roles" or "realm_access.roles".',
      }
    if (anyOf.length === 0 || anyOf.includes(''))
      yield {
        member: `${at}/${index}/anyOf`,
        problem: anyOf.length === 0 ? 'is empty, so that no user is let in' : 'has an empty value',
        remedy: 'Write the values that let a user in, as in ["staff"].',
      }
    else if ([...path, ...anyOf].some((text) => text !== text.trim()))
      yield {
        member: `${at}/${index}`,
        problem: 'has a text that begins or ends with a space: no claim says that',
        remedy: 'Leave the space out.',
      }
  }
}

function* tokenTypeProblems({ access = [], tokenType }: RouteOptions, at: string): Generator<MemberProblem> {
  if (access.length === 0 || tokenType === 'User' || tokenType === 'Client') return
  yield {
    member: `${at}/access`,
    problem: `is about users, and TokenType "${tokenType}" lets in callers who have not signed in`,
    remedy: 'Write TokenType "User", or leave the rules out.',
  }
}
