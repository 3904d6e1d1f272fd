import { createAccess } from '../gateway/access/access.js'
import { readyRule } from '../gateway/access/access-rule.js'
import { routeAccess, rulesOf } from '../gateway/access/route-access.js'
import type { FrontendOptions } from '../gateway/options.js'
import { Refusal, statusOf } from '../gateway/refusal.js'
import type { RouteOptions } from '../gateway/route-options.js'

/** Which users may in. */
export interface ExplainedAccess {
  /** All of them have to hold. */
  readonly rules: readonly { readonly claim: string; readonly anyOf: readonly string[] }[]
  /** `optional`: callers without a session pass as they are. */
  readonly session: 'required' | 'optional'
  /** What becomes of a user with the claims that were given. */
  readonly user?: { readonly outcome: 'let in' } | { readonly outcome: 'refused'; readonly reason: string }
}

export type Claims = Readonly<Record<string, unknown>>

/** @param route Undefined for files of the page. Undefined comes back where no user is looked at, or every one may in. */
export function explainedAccess(
  frontend: FrontendOptions,
  route: RouteOptions | undefined,
  claims: Claims | undefined,
): ExplainedAccess | undefined {
  const rules = route === undefined ? (frontend.access ?? []) : rulesOf(frontend, route)
  if (rules.length === 0) return undefined
  const isClosed =
    route === undefined ? frontend.requireLogin === 'Page' : routeAccess(route, frontend).session === 'required'
  return {
    rules: rules.map((rule) => ({ claim: readyRule(rule).claim, anyOf: rule.anyOf })),
    session: isClosed ? 'required' : 'optional',
    ...(claims !== undefined && { user: userWith(claims, rules) }),
  }
}

function userWith(claims: Claims, rules: FrontendOptions['access']): NonNullable<ExplainedAccess['user']> {
  try {
    createAccess(rules ?? [])?.({ handle: '', record: { createdAt: 0, claims, accessTokens: {} } })
    return { outcome: 'let in' }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { outcome: 'refused', reason: `${statusOf(error.code)} ${error.code}: ${error.message}` }
  }
}

/** Rows of the text. */
export function accessRows({ rules, session, user }: ExplainedAccess): [string, string][] {
  const outsiders = session === 'required' ? 'without a session 401 bff.session.absent' : 'without a session open'
  return [
    ...rules.map(({ claim, anyOf }): [string, string] => [
      'access',
      `${claim} has ${anyOf.length === 1 ? '' : 'one of '}${anyOf.join(', ')}; otherwise 403 bff.access.denied; ${outsiders}`,
    ]),
    ...(user === undefined
      ? []
      : [['user', user.outcome === 'let in' ? 'with these claims is let in' : user.reason] as [string, string]]),
  ]
}
