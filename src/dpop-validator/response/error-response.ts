import { proofFaults } from '../../dpop/checks.js'
import { UpstreamError } from '../../errors.js'
import { decodeJsonSegment } from '../../jose/compact-jws.js'
import { isJsonObject } from '../../jose/json-object.js'
import type { Exchange } from '../adapters/exchange.js'
import type { Lacks } from '../auth.js'
import type { Observer } from '../observer.js'
import { htuHint } from '../proof/htu-hint.js'
import type { NoncePolicy } from '../proof/nonce-policy.js'
import { assertSufficient, type Requirements } from '../request/requirements.js'
import type { TrustedIssuer } from '../token/access-token.js'
import type { TokenContent } from '../token/token-claims.js'
import { audienceHint, issuerHint, scopeHint, stepUpHint } from '../token/token-hint.js'
import type { Verdict } from '../verdict.js'
import { AuthError, proofRefusal, refusals } from './auth-error.js'
import type { CreateAnswer } from './challenge.js'

export interface RefusalOptions {
  readonly answer: CreateAnswer
  readonly observer: Observer
  readonly nonces: NoncePolicy | undefined
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  /** Scopes that every request needs. */
  readonly scopes: readonly string[]
  readonly now: () => number
}

/** The one place where an error becomes an answer. */
export interface Refusal {
  /** @throws what is not a refusal but a mistake: ours, or of an option that is a function */
  refused(error: unknown, exchange: Exchange): Verdict & { readonly kind: 'refused' }
  /** What a handler asks for in the middle of its work: the refusal to send, if any. */
  readonly lacks: Lacks
}

const htuRefusal = proofRefusal(proofFaults.htu)
const absentRefusal = proofRefusal(proofFaults.absent)

export function createRefusal({ answer, observer, nonces, issuers, scopes, now }: RefusalOptions): Refusal {
  return {
    refused(thrown, { request, scheme, requirements, occasion, content, beforeCrypto }) {
      const error = thrown instanceof UpstreamError ? refusals.issuerUnavailable : thrown
      if (!(error instanceof AuthError)) throw error
      const needed = { ...requirements, scopes: allScopes(requirements) }
      observer.refused(
        error,
        request,
        beforeCrypto,
        () => requestHint(error, occasion) ?? contentHint(error, content, needed),
      )
      // Where the proof is missing the nonce comes along at once: it saves the client a round trip.
      const wantsNonce = error === refusals.nonceRequired || error === absentRefusal
      const nonce = wantsNonce && occasion ? nonces?.issue(content?.jkt ?? claimedJkt(occasion.token)) : undefined
      return { kind: 'refused', error, answer: answer(error, { scheme, nonce, requirements: needed }) }
    },

    lacks(auth, requirements, met, request) {
      try {
        assertSufficient(auth.scopes, auth.claims, requirements, now())
        return undefined
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        const needed = { ...requirements, scopes: allScopes(met, requirements) }
        observer.refused(error, request, false, () => contentHint(error, auth, needed))
        return answer(error, { scheme: auth.scheme, nonce: undefined, requirements: needed })
      }
    },
  }

  /** All that a client has to ask for when it comes again, and not only what it lacked (RFC 6750 §3). */
  function allScopes(...requirements: readonly Requirements[]): readonly string[] {
    return [...new Set([scopes, ...requirements.map((one) => one.scopes ?? [])].flat())]
  }

  function requestHint(error: AuthError, occasion: Exchange['occasion']): string | undefined {
    if (error.hint !== undefined || occasion === undefined) return error.hint
    if (error === htuRefusal) return htuHint(occasion.fields.proof, occasion.uris)
    if (error !== refusals.iss && error !== refusals.aud) return undefined
    const claims = claimsOf(occasion.token)
    if (error === refusals.iss) return claims && issuerHint(claims, [...issuers.keys()])
    const trusted = typeof claims?.iss === 'string' ? issuers.get(claims.iss) : undefined
    return claims && trusted && audienceHint(claims, trusted)
  }

  function contentHint(
    error: AuthError,
    content: Pick<TokenContent, 'scopes' | 'claims'> | undefined,
    needed: Requirements,
  ): string | undefined {
    if (content === undefined) return undefined
    if (error === refusals.scope) return scopeHint(content, needed.scopes ?? [])
    return error === refusals.acr || error === refusals.maxAge ? stepUpHint(content, needed, now()) : undefined
  }
}

/** What a token says of itself. Not believed. */
function claimsOf(token: string): Readonly<Record<string, unknown>> | undefined {
  return decodeJsonSegment(token.split('.')[1] ?? '')
}

/** The key that a token says it is bound to: a nonce for a key that is not theirs is of no use to anybody. */
function claimedJkt(token: string): string | undefined {
  const cnf = claimsOf(token)?.cnf
  return isJsonObject(cnf) && typeof cnf.jkt === 'string' ? cnf.jkt : undefined
}
