import { createNonces } from '../../dpop/nonce.js'
import { createBoundedCache } from '../../store/bounded-cache.js'
import { refusals } from '../response/auth-error.js'

/** What can be said of a proof when the decision is whether it needs a nonce. */
export interface ProofCircumstances {
  /** Thumbprint of the key. */
  readonly jkt: string
  /** Seconds since the proof's `iat`; negative when the client's clock is ahead. */
  readonly age: number
  /** Whether a proof of this key was used twice in the last ten minutes. */
  readonly replayed: boolean
}

export interface NoncePolicyOptions {
  readonly secrets: readonly Buffer[]
  /** Seconds. */
  readonly step: number
  readonly perKey: boolean
  readonly when: 'always' | 'suspicious' | ((circumstances: ProofCircumstances) => boolean)
  /** Seconds a proof is accepted after its `iat`. */
  readonly maxAge: number
  readonly now: () => number
}

/** Who has to send a nonce, and which. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-9 RFC 9449 §9} */
export interface NoncePolicy {
  issue(jkt: string | undefined): string
  /** @throws AuthError `use_dpop_nonce` */
  assertNonce(jkt: string, nonce: string | undefined, age: number): void
  /** A nonce to hand out with a good response, so that the next request need not ask; undefined when it has one. */
  ahead(jkt: string, nonce: string | undefined): string | undefined
  /** A proof of this key was used twice. */
  suspect(jkt: string): void
}

/** Seconds that a key stays suspicious, and that a nonce once demanded stays demanded. */
const vigilance = 600
/** Seconds by which honest clocks differ. */
const honestSkew = 5

export function createNoncePolicy({ secrets, step, perKey, when, maxAge, now }: NoncePolicyOptions): NoncePolicy {
  const nonces = createNonces({ secret: secrets, step, now })
  // Only keys that a valid access token is bound to get in here.
  const demanded = createBoundedCache<{ readonly until: number }>(50_000)
  const replayed = createBoundedCache<{ readonly until: number }>(50_000)
  // The prefix keeps apart what an authorization server with the same secret hands out.
  const contextOf = (jkt: string | undefined): string => (perKey ? `api ${jkt ?? ''}` : 'api')

  function isDemanded(jkt: string, age: number): boolean {
    if (when === 'always') return true
    // No way back: else an attacker with a stolen proof just leaves the nonce out (RFC 9449 §11.3).
    if (now() < (demanded.get(jkt)?.until ?? 0)) return true
    const wasReplayed = now() < (replayed.get(jkt)?.until ?? 0)
    const demand =
      when === 'suspicious'
        ? wasReplayed || age > maxAge / 2 || age < -honestSkew
        : when({ jkt, age, replayed: wasReplayed })
    if (demand) demanded.set(jkt, { until: now() + vigilance })
    return demand
  }

  return {
    issue: (jkt) => nonces.issue(contextOf(jkt)),
    assertNonce(jkt, nonce, age) {
      if (nonce !== undefined && nonces.recognise(nonce, contextOf(jkt))) return
      if (isDemanded(jkt, age)) throw refusals.nonceRequired
    },
    ahead: (jkt, nonce) => (nonce === undefined || nonces.isOutdated(nonce) ? nonces.issue(contextOf(jkt)) : undefined),
    suspect(jkt) {
      replayed.set(jkt, { until: now() + vigilance })
    },
  }
}
