import { withoutSecrets } from '../../telemetry/without-secrets.js'
import type { Requirements } from '../request/requirements.js'
import { audienceOf, type TokenContent, type TokenIssuer } from './token-claims.js'

/*
 * What a refused token says beside what was expected, for the operator: most often it is the configuration that is wrong. A
 * client may have written all of it, so it is cut and cleaned. The answer does not repeat it: clients have the token, and find
 * the audiences in the metadata that the challenge names (`accepted_audiences`).
 */

type Claims = Readonly<Record<string, unknown>>

export function issuerHint(claims: Claims, trusted: readonly string[]): string {
  return `iss is ${shown(claims.iss)}, and issuer says ${shown(trusted)}: they are compared character by character`
}

export function audienceHint(
  claims: Claims,
  { audiences, profile }: Pick<TokenIssuer, 'audiences' | 'profile'>,
): string {
  const remedy = 'Have clients ask for that one (behind the gateway: Resource of the route), or write the other here'
  return `aud is ${shown(audienceOf(claims, profile))}, and audience says ${shown(audiences)}. ${remedy}`
}

export function scopeHint({ scopes }: Pick<TokenContent, 'scopes'>, needed: readonly string[]): string {
  const missing = needed.filter((scope) => !scopes.has(scope))
  return `the scopes ${shown(missing)} are needed, and the token has ${shown([...scopes])}`
}

export function stepUpHint(
  { claims }: Pick<TokenContent, 'claims'>,
  { acr, maxAge }: Requirements,
  now: number,
): string {
  const { acr: said, auth_time: at } = claims
  const age = typeof at === 'number' ? `${Math.floor(now - at)} seconds ago` : 'at a time that auth_time does not say'
  return [
    ...(acr === undefined ? [] : [`acr is ${shown(said)}, and ${shown(acr)} will do`]),
    ...(maxAge === undefined ? [] : [`the user signed in ${age}, and ${maxAge} seconds are the most`]),
  ].join('; ')
}

/** The first few, each no longer than a name is. */
function shown(value: unknown): string {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  const some = values.slice(0, 5).map((one) => (typeof one === 'string' ? `"${clean(one)}"` : nameOf(one)))
  if (some.length === 0) return 'none'
  return values.length > some.length ? `${some.join(', ')} and ${values.length - some.length} more` : some.join(', ')
}

function clean(text: string): string {
  return withoutSecrets(text.slice(0, 200).replace(/[^\x20-\x7e]/g, '?')).slice(0, 100)
}

function nameOf(value: unknown): string {
  return value === undefined ? 'absent' : 'no text'
}
