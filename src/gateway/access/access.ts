import { Refusal } from '../refusal.js'
import type { AccessRule } from '../route-options.js'
import type { Session } from '../session/session-record.js'
import { type ReadyRule, readyRule } from './access-rule.js'

/**
 * Whether a session's user may in.
 * @throws Refusal `bff.access.denied`
 */
export type Access = (session: Pick<Session, 'record' | 'handle'>) => void

/** Undefined where there is no rule: then nothing is asked. */
export function createAccess(rules: readonly AccessRule[]): Access | undefined {
  if (rules.length === 0) return undefined
  const ready = rules.map(readyRule)
  return ({ record, handle }) => {
    const broken = brokenRule(ready, record.claims)
    if (broken !== undefined) throw denied(broken, handle)
  }
}

/** The first rule that does not hold. */
export function brokenRule(
  rules: readonly ReadyRule[],
  claims: Readonly<Record<string, unknown>>,
): ReadyRule | undefined {
  return rules.find((rule) => !rule.holds(claims))
}

function denied({ claim }: ReadyRule, session: string): Refusal {
  return new Refusal('bff.access.denied', `your account does not have what is asked for here in the claim "${claim}"`, {
    session,
  })
}
