import { publish } from '../../telemetry/events.js'
import { type Login, type LoginDecision, nameOf, type OnLogin } from '../hooks.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import { Refusal } from '../refusal.js'
import { loginClaims } from '../session/session-claims.js'
import type { SessionRecord } from '../session/session-record.js'

/**
 * The program around the gateway has the last word on a login.
 * @returns the record with the claims that it has added
 * @throws Refusal `bff.login.refused`, or `bff.login.failed` when the hook fails; the tokens are revoked then
 */
export async function admitted(
  { onLogin, name, oauth }: { readonly onLogin: OnLogin | undefined; readonly name: string; readonly oauth: Revoker },
  record: SessionRecord,
  requestId: string,
): Promise<SessionRecord> {
  if (onLogin === undefined) return record
  const { subject, claims, refreshToken, proofKey } = record
  try {
    const added = await askOnLogin(onLogin, { frontend: name, subject, claims, requestId })
    return { ...record, claims: { ...claims, ...added }, addedClaims: added }
  } catch (refusal) {
    if (refreshToken !== undefined) await oauth.revoke(refreshToken, 'refresh_token', proofKey).catch(() => undefined)
    throw refusal
  }
}

type Revoker = Pick<OAuthClient, 'revoke'>

async function askOnLogin(onLogin: OnLogin, login: Login): Promise<Login['claims']> {
  const decision = await decided(onLogin, login)
  if (decision === undefined) return {}
  if ('refuse' in decision) throw new Refusal('bff.login.refused', decision.refuse)
  const taken = Object.keys(decision.claims).find((name) => loginClaims.has(name))
  if (taken !== undefined) throw failed(login, new TypeError(`the claim ${taken} cannot be set`))
  return decision.claims
}

async function decided(onLogin: OnLogin, login: Login): Promise<LoginDecision> {
  try {
    return await onLogin(login)
  } catch (error) {
    throw failed(login, error)
  }
}

function failed({ frontend, requestId }: Login, error: unknown): Refusal {
  publish({ type: 'gateway.hook.failed', frontend, hook: 'onLogin', requestId, error: nameOf(error) })
  return new Refusal('bff.login.failed', 'The login could not be completed.', { cause: error })
}
