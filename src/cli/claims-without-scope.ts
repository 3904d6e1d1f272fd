import { claimsFor, scopeOfClaim } from '../authorization-server/tokens/claims.js'
import type { Configuration } from '../config/load.js'
import type { FrontendOptions } from '../gateway/options.js'
import type { AccessRule } from '../gateway/route-options.js'
import { loginClaims } from '../gateway/session/session-claims.js'
import { grantOf } from '../gateway/tokens/token-audience.js'
import { claimPath } from '../http/claim.js'
import { noted, type Trial } from './probe/probe.js'

interface WrittenRule {
  readonly pointer: string
  readonly rule: AccessRule
}

/** Rules about claims that no session will have, as far as that can be known: what the standard says, and the embedded server does. */
export function claimsWithoutScope({ gateway, authorizationServer, plan }: Configuration): readonly Trial[] {
  const users = authorizationServer?.options.users ?? []
  return (gateway?.frontends ?? []).flatMap((frontend, index) => {
    const scopes = grantOf(frontend).scope.split(' ')
    const isEmbedded = plan.frontends[index]?.isEmbedded === true
    return rulesOf(frontend, `/Bff/Frontends/${index}`).flatMap(({ pointer, rule }) => {
      const [name = ''] = claimPath(rule.claim)
      const missing = missingScope(name, scopes, isEmbedded)
      if (missing !== undefined)
        return [noted(`${pointer}/Claim`, `no session has "${name}": ${missing.why}`, missing.remedy)]
      if (!isEmbedded || loginClaims.has(name)) return []
      const isKnown = scopeOfClaim(name) !== undefined
      const has = users.some(({ claims = {} }) => Object.hasOwn(claimsFor(scopes, claims), name))
      if (isKnown && has) return []
      return [
        noted(
          `${pointer}/Claim`,
          `no session has "${name}": ${isKnown ? 'no user of the embedded authorization server has it' : 'the embedded authorization server gives no such claim'}`,
          isKnown ? 'Write it into Claims of a user, below Seeding.Users.' : 'Write "roles", with the scope "roles".',
        ),
      ]
    })
  })
}

function rulesOf({ access = [], routes }: FrontendOptions, at: string): readonly WrittenRule[] {
  const written = (rules: readonly AccessRule[], place: string): WrittenRule[] =>
    rules.map((rule, index) => ({ pointer: `${place}/Access/${index}`, rule }))
  return [
    ...written(access, at),
    ...routes.flatMap((route, index) => written(route.access ?? [], `${at}/Routes/${index}`)),
  ]
}

/** OpenID Connect Core §5.4 names the scopes of the standard claims; `roles` is the embedded server's own. */
function missingScope(
  name: string,
  scopes: readonly string[],
  isEmbedded: boolean,
): { readonly why: string; readonly remedy: string } | undefined {
  if (!scopes.includes('openid'))
    return { why: 'without the scope "openid" there are no claims', remedy: 'Add "openid" to Scopes of the frontend.' }
  const scope = scopeOfClaim(name)
  if (scope === undefined || scopes.includes(scope) || (scope === 'roles' && !isEmbedded)) return undefined
  return { why: `it comes with the scope "${scope}", which is not asked for`, remedy: `Add "${scope}" to Scopes.` }
}
