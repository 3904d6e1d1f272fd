import type { RateLimitOptions } from '../limits/limit-options.js'
import type { FrontendOptions } from '../options.js'
import type { RouteOptions } from '../route-options.js'
import { type MemberProblem, wrong } from './member-problem.js'

/** Limits that limit nothing, or that cannot be counted; tokens that would carry more than their route asks for. */
export function* limitProblems({
  scopes,
  sessionsPerUser,
  rateLimits = [],
  routes,
}: FrontendOptions): Generator<MemberProblem> {
  if (sessionsPerUser !== undefined) {
    if (!(Number.isInteger(sessionsPerUser.max) && sessionsPerUser.max > 0))
      yield wrong('sessionsPerUser/max', 'is not a number of sessions', 'Write 1 or more.')
    if (!scopes.includes('openid'))
      yield wrong(
        'sessionsPerUser',
        'cannot be counted: without "openid" in Scopes it is not known whose a session is',
        'Add "openid" to Scopes, or leave SessionsPerUser out.',
      )
  }
  yield* rateLimitProblems(rateLimits, 'rateLimits')
  for (const [index, route] of routes.entries()) {
    yield* rateLimitProblems(route.rateLimits ?? [], `routes/${index}/rateLimits`)
    if (route.countsAsUse === false && (route.tokenType === 'Client' || route.tokenType === 'None'))
      yield wrong(
        `routes/${index}/countsAsUse`,
        `is false where no session is looked at: TokenType is "${route.tokenType}"`,
        'Leave it out.',
      )
    if (scopes.length === 0 && getsScopesOfOthers(route, routes))
      yield wrong(
        `routes/${index}/scopes`,
        'is missing, and Scopes of the frontend is empty: its token would have the scopes of all other routes',
        'Write the scopes that this route needs.',
      )
  }
}

function* rateLimitProblems(limits: readonly RateLimitOptions[], at: string): Generator<MemberProblem> {
  for (const [index, { requests, per, by }] of limits.entries()) {
    if (!(Number.isInteger(requests) && requests > 0))
      yield wrong(`${at}/${index}/requests`, 'is not a number of requests', 'Write 1 or more.')
    if (!(Number.isInteger(per) && per > 0))
      yield wrong(`${at}/${index}/per`, 'is no whole number of seconds', 'Write it as in "00:01:00".')
    if (limits.slice(0, index).some((other) => other.per === per && other.by === by))
      yield wrong(`${at}/${index}`, 'is for the same time and the same callers as another one', 'Keep the lower one.')
  }
}

function getsScopesOfOthers({ tokenType, scopes }: RouteOptions, routes: readonly RouteOptions[]): boolean {
  const isOfUser = (type: RouteOptions['tokenType']): boolean => type !== 'Client' && type !== 'None'
  return (
    isOfUser(tokenType) &&
    scopes.length === 0 &&
    routes.some((other) => isOfUser(other.tokenType) && other.scopes.length > 0)
  )
}
