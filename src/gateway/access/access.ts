import { UpstreamError } from '../../errors.js'
import { Refusal } from '../refusal.js'
import type { AccessRule } from '../route-options.js'
import { knownClaims } from '../session/session-claims.js'
import type { Session } from '../session/session-record.js'
import { type ReadyRule, readyRule } from './access-rule.js'

/**
 * Whether a session's user may in.
 * @throws Refusal `bff.access.denied`
 * @throws UpstreamError when it cannot be known: userinfo is out of reach, and the ID token does not say
 */
export type Access = (session: Pick<Session, 'record' | 'handle'>) => void

/** Undefined where there is no rule: then nothing is asked. */
export function createAccess(rules: readonly AccessRule[], now = () => Date.now() / 1000): Access | undefined {
  if (rules.length === 0) return undefined
  const ready = rules.map(readyRule)
  return ({ record, handle }) => {
    const { claims, isComplete } = knownClaims(record, now())
    const broken = brokenRule(ready, claims)
    if (broken === undefined) return
    if (isComplete) throw denied(broken, handle)
    throw new UpstreamError('unreachable', 'the authorization server does not tell at the moment what this user may do')
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
