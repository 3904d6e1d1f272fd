import type { FrontendOptions } from '../options.js'
import type { AccessRule, RouteOptions } from '../route-options.js'
import { claimPath } from './access-rule.js'

interface Problem {
  readonly member: string
  readonly problem: string
  readonly remedy: string
}

/** Rules that no user could satisfy, and rules on routes that look at no user. */
export function* accessProblems({ access = [], routes }: FrontendOptions): Generator<Problem> {
  yield* ruleProblems(access, 'Access')
  for (const [index, route] of routes.entries()) {
    yield* ruleProblems(route.access ?? [], `Routes/${index}/Access`)
    yield* tokenTypeProblems(route, `Routes/${index}`)
  }
}

function* ruleProblems(rules: readonly AccessRule[], at: string): Generator<Problem> {
  for (const [index, { claim, anyOf }] of rules.entries()) {
    const path = claimPath(claim)
    if (path.length === 0 || path.includes(''))
      yield {
        member: `${at}/${index}/Claim`,
        problem: 'is not the name of a claim',
        remedy: 'Write it as in "roles" or "realm_access.roles".',
      }
    if (anyOf.length === 0 || anyOf.includes(''))
      yield {
        member: `${at}/${index}/AnyOf`,
        problem: anyOf.length === 0 ? 'is empty, so that no user is let in' : 'has an empty value',
        remedy: 'Write the values that let a user in, as in ["staff"].',
      }
  }
}

function* tokenTypeProblems({ access = [], tokenType }: RouteOptions, at: string): Generator<Problem> {
  if (access.length === 0 || tokenType === 'User' || tokenType === 'Client') return
  yield {
    member: `${at}/Access`,
    problem: `is about users, and TokenType "${tokenType}" lets in callers who have not signed in`,
    remedy: 'Write TokenType "User", or leave Access out.',
  }
}
