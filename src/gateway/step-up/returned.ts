import { hash } from 'node:crypto'
import type { BegunTransaction } from '../endpoints/login-transaction.js'
import type { Claims } from '../oauth/user-info.js'
import { Refusal } from '../refusal.js'
import { authenticationOf, unmetBy } from './requirements.js'

/**
 * Whether the server did what was asked for. Otherwise everything stays as it was: asking again would bring the same.
 * @param claims of the ID token; undefined without OpenID Connect: then only the API can tell
 * @throws Refusal `bff.step_up.other_user`, `bff.step_up.not_met`
 */
export function assertAsAsked(
  { asked, user, begunAt }: Pick<BegunTransaction, 'asked' | 'user' | 'begunAt'>,
  claims: Claims | undefined,
): void {
  if (claims === undefined) return
  if (user !== undefined && (typeof claims.sub !== 'string' || userHash(claims.sub) !== user))
    throw new Refusal('bff.step_up.other_user', 'Another user has signed in than the one whose session it is.')
  // Measured from the beginning: the server decides when it is asked, and the user may take their time (OpenID Connect Core §3.1.2.1).
  const unmet = asked && unmetBy(authenticationOf(claims), asked, begunAt - clockTolerance)
  if (unmet !== undefined) throw notMet(unmet)
}

/** Names a user in a login's cookie. */
export function userHash(subject: string): string {
  return hash('sha256', subject, 'base64url').slice(0, 22)
}

/** Seconds by which the clock of the authorization server may be behind ours. */
const clockTolerance = 30

const reasons = {
  acr: 'acr says how it was done, and is none of those asked for',
  auth_time: 'auth_time says when it was done, and is longer ago than asked for',
}

export function notMet(unmet: keyof typeof reasons, options?: ErrorOptions): Refusal {
  return new Refusal(
    'bff.step_up.not_met',
    `The authorization server did not sign the user in as it was asked to: ${reasons[unmet]}, or is missing.`,
    options,
  )
}
