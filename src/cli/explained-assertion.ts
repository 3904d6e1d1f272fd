import { issuersOf } from '../gateway/authorities/authorities.js'
import { assertionField, assertionIssuer } from '../gateway/identity/identity-assertion.js'
import type { FrontendOptions } from '../gateway/options.js'
import type { RouteOptions } from '../gateway/route-options.js'
import type { Scheme } from './scheme.js'

/** What an API is told of the user in place of a token. */
export interface ExplainedAssertion {
  /** The header field, in lower case. */
  readonly field: string
  readonly issuer: string
  readonly audience: string
  /** Issuer identifiers of the servers where the user can have signed in: one of them is `idp`. */
  readonly idp: readonly string[]
  /** Besides `sub` and `idp`. */
  readonly claims: readonly string[]
}

export function explainedAssertion(
  { identityAssertion }: RouteOptions,
  frontend: FrontendOptions,
): ExplainedAssertion | undefined {
  if (identityAssertion === undefined) return undefined
  const { audience, claims = [] } = identityAssertion
  return {
    field: assertionField(identityAssertion),
    issuer: assertionIssuer(frontend),
    audience,
    idp: issuersOf(frontend),
    claims,
  }
}

/** The fields that carry who calls. */
export function credentialsOf(scheme: Scheme, assertion: ExplainedAssertion | undefined): readonly string[] {
  if (assertion !== undefined) return [assertion.field]
  if (scheme === 'none') return []
  return scheme === 'DPoP' ? ['authorization', 'dpop'] : ['authorization']
}
