import { didYouMean } from '../config/did-you-mean.js'
import type { Configuration } from '../config/load.js'
import { issuersOf } from '../gateway/authorities/authorities.js'
import type { RateLimitOptions } from '../gateway/limits/limit-options.js'
import { keysOf } from '../gateway/oauth/client-authentication.js'
import type { FrontendOptions } from '../gateway/options.js'
import type { AccessRule, RouteOptions } from '../gateway/route-options.js'
import { tokenClaims } from '../gateway/session/session-claims.js'
import { claimPath } from '../http/claim.js'
import { goesDirectly } from '../http/outgoing-proxy.js'
import { noted, type Trial } from './probe/probe.js'

/** Settings that change nothing as they are written, or not what they seem to. */
export function withoutEffect(configuration: Configuration): readonly Trial[] {
  const {
    gateway,
    server: { forwardAuth },
  } = configuration
  const notes = (gateway?.frontends ?? []).flatMap((frontend, index) => {
    const at = `/Bff/Frontends/${index}`
    return [
      ...misspeltParameters(frontend, at),
      ...retiredAndCurrent(frontend, at),
      ...limitsBehindOthers(frontend.rateLimits ?? [], at),
      ...rulesAboutTokens(frontend.access ?? [], at, frontend),
      ...frontend.routes.flatMap((route, number) => [
        ...limitsBehindOthers(route.rateLimits ?? [], `${at}/Routes/${number}`),
        ...rulesAboutTokens(route.access ?? [], `${at}/Routes/${number}`, frontend),
        ...(forwardAuth !== undefined && route.upstreams.length > 1
          ? [
              noted(
                `${at}/Routes/${number}/Upstreams`,
                'has several entries: for a proxy that asks (Server.ForwardAuth) each proof is for the first one',
                'Write the one URL by which the API knows itself, and balance in the proxy.',
              ),
            ]
          : []),
        ...balanceOfOne(route, `${at}/Routes/${number}`),
        ...(route.countsAsUse === false && !frontend.session.sliding
          ? [
              noted(
                `${at}/Routes/${number}/CountsAsUse`,
                'changes nothing: UseSessionSlidingExpiration is false, so that no call counts as use',
                'Leave out one of the two.',
              ),
            ]
          : []),
      ]),
    ]
  })
  return [...notes, ...nothingToRevoke(configuration), ...nothingByTheProxy(configuration)]
}

/** The first key signs; the others are retired. */
function retiredAndCurrent({ clientAuthentication }: FrontendOptions, at: string): readonly Trial[] {
  const [current, ...retired] = keysOf(clientAuthentication)
  return retired.flatMap(({ kid }, index) =>
    kid !== current?.kid
      ? []
      : [
          noted(
            `${at}/RetiredClientSigningKeyJwks/${index}`,
            'changes nothing: is the key that signs',
            'Write the former key here and the new one as ClientSigningKeyJwk, or leave it out.',
          ),
        ],
  )
}

function balanceOfOne({ balance = 'RoundRobin', upstreams, sockets = [] }: RouteOptions, at: string): readonly Trial[] {
  if (balance === 'RoundRobin' || upstreams.length > 1 || sockets.length > 1) return []
  return [
    noted(
      `${at}/Balance`,
      `changes nothing: is "${balance}", and there is one upstream`,
      'Name each server of the API in Upstreams or Sockets: where one name leads to several, connections go as DNS has it.',
    ),
  ]
}

/** The servers of APIs that a verifier of ours asks are called that way, too. */
function nothingByTheProxy({ gateway, server, sampleApi }: Configuration): readonly Trial[] {
  const { frontends = [], httpProxy } = gateway ?? {}
  if (httpProxy === undefined || server.forwardAuth?.validate !== undefined || sampleApi !== undefined) return []
  if (frontends.flatMap(issuersOf).some((issuer) => !goesDirectly(new URL(issuer), httpProxy))) return []
  return [
    noted(
      '/Bff/HttpProxy',
      'changes nothing: every authorization server is on this machine or in NoProxy, and APIs are called directly',
      'Leave it out, or take the server out of NoProxy.',
    ),
  ]
}

/** The embedded server gives refresh tokens for `offline_access` only; of others it is not known. */
function nothingToRevoke({ gateway, plan }: Configuration): readonly Trial[] {
  const issuer = plan.authorizationServer?.settings.Issuer
  const hasNone = (gateway?.frontends ?? []).every(
    (frontend) =>
      issuersOf(frontend).every((authority) => authority === issuer) && !frontend.scopes.includes('offline_access'),
  )
  if (plan.bff?.RevokeEndedSessions !== true || !hasNone) return []
  return [
    noted(
      '/Bff/RevokeEndedSessions',
      'changes nothing: no frontend has "offline_access" in its Scopes, so that there is no refresh token to revoke',
      'Add it to the Scopes, or leave RevokeEndedSessions out.',
    ),
  ]
}

/** What login links are asked to set at the servers that people have. */
const linkParameters = [
  'acr_values',
  'claims_locales',
  'connection',
  'display',
  'domain_hint',
  'id_token_hint',
  'kc_action',
  'kc_idp_hint',
  'login_hint',
  'max_age',
  'organization',
  'prompt',
  'screen_hint',
  'ui_locales',
]

function misspeltParameters({ loginParameters = [], authorizationParameters = {} }: FrontendOptions, at: string) {
  const named = [
    ...loginParameters.map((name, index) => ({ name, pointer: `${at}/LoginParameters/${index}` })),
    ...Object.keys(authorizationParameters).map((name) => ({
      name,
      pointer: `${at}/AuthorizationParameters/${name}`,
    })),
  ]
  return named.flatMap(({ name, pointer }) => {
    const meant = linkParameters.includes(name) ? undefined : didYouMean(name, linkParameters)
    if (meant === undefined) return []
    return [noted(pointer, `is "${name}", which no server is known to read`, `Did you mean "${meant}"?`)]
  })
}

/** Of two limits for the same callers, one may always be met before the other. */
function limitsBehindOthers(limits: readonly RateLimitOptions[], at: string): readonly Trial[] {
  return limits.flatMap((limit, index) => {
    const first = limits.find((other) => other !== limit && other.by === limit.by && comesFirst(other, limit))
    if (first === undefined) return []
    return [
      noted(
        `${at}/RateLimits/${index}`,
        `is never reached: ${first.requests} in ${first.per} s come before ${limit.requests} in ${limit.per} s`,
        'Leave it out, or lower its Requests.',
      ),
    ]
  })
}

function comesFirst(one: RateLimitOptions, other: RateLimitOptions): boolean {
  const times = Math.ceil(other.per / one.per)
  return one.per === other.per ? false : one.requests * times <= other.requests
}

function rulesAboutTokens(rules: readonly AccessRule[], at: string, frontend: FrontendOptions): readonly Trial[] {
  return rules.flatMap(({ claim }, index) => {
    const [name = ''] = claimPath(claim)
    // With several servers it says which of them knows the user.
    if (!tokenClaims.has(name) || (name === 'iss' && issuersOf(frontend).length > 1)) return []
    return [
      noted(
        `${at}/Access/${index}/Claim`,
        `is "${name}", which says something about the ID token and nothing about the user`,
        'Write a claim of the user, as in "roles".',
      ),
    ]
  })
}
