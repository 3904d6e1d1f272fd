import type { ProtocolErrorCode } from '../../errors.js'
import type { PushedAuthorizationRequest } from '../endpoints/pushed-authorization-request.js'
import type { SignInSession } from '../sign-in/sign-in-session.js'

/** What has to happen next with an authorization request. */
export type AuthorizationDecision =
  | { readonly kind: 'sign-in' }
  | { readonly kind: 'consent'; readonly session: SignInSession }
  | { readonly kind: 'authorize'; readonly session: SignInSession }
  | { readonly kind: 'refuse'; readonly code: ProtocolErrorCode; readonly reason: string }

/**
 * @param consented Whether the user has allowed all of this to this client before.
 * @see OpenID Connect Core §3.1.2.3 and §3.1.2.4
 */
export function decide(
  request: PushedAuthorizationRequest,
  session: SignInSession | undefined,
  consented: boolean,
  now: number,
): AuthorizationDecision {
  const silent = request.prompts.includes('none')
  const signedInHere = session !== undefined && request.interaction.signedInto === session.sid

  const isEnough = session !== undefined && isRecent(request, session, now) && isStrong(request, session)
  if (session === undefined || request.interaction.switchingUser === true || !isEnough)
    return silent ? { kind: 'refuse', code: 'login_required', reason: 'the user must sign in' } : { kind: 'sign-in' }
  if (request.subjectHint !== undefined && request.subjectHint !== session.subject)
    return silent || signedInHere
      ? { kind: 'refuse', code: 'login_required', reason: 'another user is signed in than the one of the hint' }
      : { kind: 'sign-in' }
  if (consented && !request.prompts.includes('consent')) return { kind: 'authorize', session }
  return silent
    ? { kind: 'refuse', code: 'consent_required', reason: 'the user must agree' }
    : { kind: 'consent', session }
}

/** Signing in for this very request is always recent enough; otherwise `prompt` and `max_age` have a say. */
function isRecent(
  { prompts, maxAge, interaction }: PushedAuthorizationRequest,
  { sid, authTime }: SignInSession,
  now: number,
): boolean {
  if (interaction.signedInto === sid) return true
  if (prompts.includes('login') || prompts.includes('select_account')) return false
  return maxAge === undefined || now - authTime <= maxAge
}

/**
 * Who is signed in otherwise than `acr_values` asks is asked once. What comes of it is what the tokens say: the client, and
 * the API, decide about it (RFC 9470 §5).
 */
function isStrong({ acrValues, interaction }: PushedAuthorizationRequest, { sid, acr }: SignInSession): boolean {
  if (acrValues.length === 0 || interaction.signedInto === sid) return true
  return acr !== undefined && acrValues.includes(acr)
}
