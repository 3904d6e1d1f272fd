import { decodeJsonSegment } from '../dpop/compact-jws.js'
import { isJsonObject } from '../dpop/json-object.js'
import { proofFaults } from '../dpop/proof-checks.js'
import { UpstreamError } from '../errors.js'
import type { Answer, CreateAnswer } from './answer.js'
import type { Auth } from './auth.js'
import { AuthError, proofRefusal, refusals } from './auth-error.js'
import type { Exchange } from './exchange.js'
import { htuHint } from './htu-hint.js'
import type { NoncePolicy } from './nonce-policy.js'
import type { Observer } from './observer.js'
import { assertSufficient, type Requirements } from './requirements.js'
import type { Verdict } from './verdict.js'

export interface RefusalOptions {
  readonly answer: CreateAnswer
  readonly observer: Observer
  readonly nonces: NoncePolicy | undefined
  /** Scopes that every request needs. */
  readonly scopes: readonly string[]
  readonly now: () => number
}

/** The one place where an error becomes an answer. */
export interface Refusal {
  /** @throws what is not a refusal but a mistake: ours, or of an option that is a function */
  refused(error: unknown, exchange: Exchange): Verdict & { readonly kind: 'refused' }
  /** What a handler asks for in the middle of its work: the refusal to send, if any. */
  lacks(auth: Auth, requirements: Requirements): Answer | undefined
}

const htuRefusal = proofRefusal(proofFaults.htu)
const absentRefusal = proofRefusal(proofFaults.absent)

export function createRefusal({ answer, observer, nonces, scopes, now }: RefusalOptions): Refusal {
  return {
    refused(thrown, { scheme, requirements, occasion, beforeCrypto }) {
      const error = thrown instanceof UpstreamError ? refusals.issuerUnavailable : thrown
      if (!(error instanceof AuthError)) throw error
      observer.refused(error, beforeCrypto, () =>
        error === htuRefusal && occasion ? htuHint(occasion.fields.proof, occasion.uris) : undefined,
      )
      // Where the proof is missing the nonce comes along at once: it saves the client a round trip.
      const wantsNonce = error === refusals.nonceRequired || error === absentRefusal
      const nonce = wantsNonce && occasion ? nonces?.issue(occasion.jkt ?? claimedJkt(occasion.token)) : undefined
      const needed = { ...requirements, scopes: [...scopes, ...(requirements.scopes ?? [])] }
      return { kind: 'refused', error, answer: answer(error, { scheme, nonce, requirements: needed }) }
    },

    lacks({ scheme, scopes: granted, claims }, requirements) {
      try {
        assertSufficient(granted, claims, requirements, now())
        return undefined
      } catch (error) {
        if (!(error instanceof AuthError)) throw error
        observer.refused(error, false, () => undefined)
        return answer(error, { scheme, nonce: undefined, requirements })
      }
    },
  }
}

/** The key that a token says it is bound to. Not believed: a nonce for a key that is not theirs is of no use to anybody. */
function claimedJkt(token: string): string | undefined {
  const cnf = decodeJsonSegment(token.split('.')[1] ?? '')?.cnf
  return isJsonObject(cnf) && typeof cnf.jkt === 'string' ? cnf.jkt : undefined
}
