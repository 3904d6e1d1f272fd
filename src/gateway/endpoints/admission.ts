import { publish } from '../../telemetry/events.js'
import { type AuthorityClient, ofAuthority } from '../authorities/authorities.js'
import { type Login, type LoginDecision, nameOf, type OnLogin } from '../hooks.js'
import type { OAuthClient } from '../oauth/oauth-client.js'
import { Refusal } from '../refusal.js'
import { loginClaims } from '../session/session-claims.js'
import type { SessionRecord } from '../session/session-record.js'

interface Admitting extends Pick<AuthorityClient, 'authority'> {
  readonly onLogin: OnLogin | undefined
  readonly name: string
  readonly oauth: Pick<OAuthClient, 'revoke'>
}

/**
 * The program around the gateway has the last word on a login.
 * @returns the record with the claims that it has added
 * @throws Refusal `bff.login.refused`, or `bff.login.failed` when the hook fails; the tokens are revoked then
 */
export async function admitted(
  { onLogin, name, authority, oauth }: Admitting,
  record: SessionRecord,
  requestId: string,
): Promise<SessionRecord> {
  if (onLogin === undefined) return record
  const { subject, claims, accessTokens, refreshToken, proofKey } = record
  try {
    const added = await askOnLogin(onLogin, {
      frontend: name,
      ...ofAuthority({ authority }),
      subject,
      claims,
      requestId,
    })
    return { ...record, claims: { ...claims, ...added }, addedClaims: added }
  } catch (refusal) {
    const access = accessTokens['']?.value
    if (refreshToken !== undefined) await oauth.revoke(refreshToken, 'refresh_token', proofKey).catch(() => undefined)
    else if (access !== undefined) await oauth.revoke(access, 'access_token', proofKey).catch(() => undefined)
    throw refusal
  }
}

async function askOnLogin(onLogin: OnLogin, login: Login): Promise<Login['claims']> {
  const decision = await decided(onLogin, login)
  if (decision === undefined) return {}
  if ('refuse' in decision) throw new Refusal('bff.login.refused', decision.refuse)
  return decision.claims
}

/** Seconds that a hook may take: a directory that hangs must not hang the login. */
const patience = 30

async function decided(onLogin: OnLogin, login: Login): Promise<LoginDecision> {
  const { signal, clear } = deadline()
  try {
    return checked(await Promise.race([onLogin(login), signal]))
  } catch (error) {
    throw failed(login, error)
  } finally {
    clear()
  }
}

function deadline(): { readonly signal: Promise<never>; clear(): void } {
  let timer: NodeJS.Timeout | undefined
  const signal = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new RangeError(`onLogin has not answered within ${patience} s`)), patience * 1000)
  })
  return { signal, clear: () => clearTimeout(timer) }
}

/** Programs without types answer other things as well. What is not understood lets no user in. */
function checked(decision: unknown): LoginDecision {
  if (decision === undefined || decision === null) return undefined
  if (!isObject(decision)) throw new TypeError('onLogin answers with an object, or nothing')
  const { refuse, claims } = decision
  if (typeof refuse === 'string' && refuse !== '') return { refuse }
  if (refuse !== undefined || !isObject(claims)) throw new TypeError('onLogin answers { refuse } or { claims }')
  const added: unknown = JSON.parse(JSON.stringify(claims))
  if (!isObject(added)) throw new TypeError('the claims are not an object')
  const taken = Object.keys(added).find((name) => loginClaims.has(name))
  if (taken !== undefined) throw new TypeError(`the claim ${taken} cannot be set`)
  return { claims: added }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function failed({ frontend, requestId }: Login, error: unknown): Refusal {
  publish({ type: 'gateway.hook.failed', frontend, hook: 'onLogin', requestId, error: nameOf(error) })
  return new Refusal('bff.login.failed', 'The login could not be completed.', { cause: error })
}
