import { ProtocolError } from '../errors.js'
import { type JwsAlgorithm, signatureHolds } from '../jose/algorithm.js'
import { readCompactJws } from '../jose/compact-jws.js'
import { type SignatureAlgorithm, signatureAlgorithms } from '../jose/jwk.js'
import { type ProofFault, proofFaults, proofLimits, readProofClaims, readProofHeader } from './checks.js'
import { accessTokenHash, type ProofTarget, type TargetUrl, targetUri } from './proof.js'
import { importProofKey, readProofKey } from './proof-key.js'
import { normalizedTargetUri } from './target-uri.js'

export interface ProofVerifierOptions {
  /** Default: all of FAPI 2.0. */
  readonly algorithms?: readonly SignatureAlgorithm[]
  /** Seconds a proof is accepted after its `iat`. Default: 60. */
  readonly maxAge?: number
  /** Seconds a proof may be ahead of our clock. FAPI 2.0 §5.3.2.1-13 allows 10 to 60. Default: 10. */
  readonly futureSkew?: number
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** A proof whose signature and claims hold. Its nonce and the first use of its `jti` are still the caller's to check. */
export interface VerifiedProof {
  /** Thumbprint of the key it was made with. */
  readonly jkt: string
  readonly jti: string
  readonly iat: number
  readonly nonce: string | undefined
  /** Until when (seconds since the epoch) the `jti` must be remembered for a replay to be seen. */
  readonly rememberUntil: number
}

/** @throws ProtocolError `invalid_dpop_proof` */
export type VerifyProof = (proof: string, target: VerifiedTarget) => VerifiedProof

/** One request, and what it may be called by. */
export interface VerifiedTarget extends ProofTarget {
  /** Another URL of the same endpoint. */
  readonly alias?: TargetUrl
}

/**
 * The checks of a proof, from the cheap ones to the signature: garbage costs next to nothing.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3}
 */
export function createProofVerifier({
  algorithms = signatureAlgorithms,
  maxAge = proofLimits.maxAge,
  futureSkew = proofLimits.futureSkew,
  now = () => Date.now() / 1000,
}: ProofVerifierOptions = {}): VerifyProof {
  const accepted: readonly JwsAlgorithm[] = algorithms.includes('Ed25519') ? [...algorithms, 'EdDSA'] : algorithms

  return (proof, target) => {
    if (proof.length > proofLimits.maxLength) refuse(proofFaults.tooLong)
    const { header, claims, signed, signature } = readCompactJws(proof) ?? refuse(proofFaults.notCompactJws)
    const algorithm = readProofHeader(header, accepted, refuse)
    const { jti, iat, nonce } = readProofClaims(
      claims,
      {
        method: target.method,
        uris: urisOf(target),
        ath: target.accessToken === undefined ? undefined : accessTokenHash(target.accessToken),
        now: now(),
        maxAge,
        futureSkew,
        maxJti: proofLimits.maxJti,
      },
      refuse,
    )
    const key = readProofKey(header.jwk, algorithm) ?? refuse(proofFaults.jwk)
    const imported = importProofKey(key, algorithm) ?? refuse(proofFaults.jwk)
    if (!signatureHolds(imported, signed, signature)) refuse(proofFaults.signature)

    return { jkt: key.jkt, jti, iat, nonce, rememberUntil: iat + maxAge + futureSkew }
  }
}

function urisOf({ url, alias }: VerifiedTarget): readonly string[] {
  const urls = alias === undefined ? [url] : [url, alias]
  return urls.map((one) => normalizedTargetUri(targetUri(one)) ?? '')
}

function refuse({ text }: ProofFault): never {
  throw new ProtocolError('invalid_dpop_proof', text)
}
