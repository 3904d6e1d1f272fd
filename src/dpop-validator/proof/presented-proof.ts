import { type ProofClaims, proofFaults, readProofClaims, readProofHeader } from '../../dpop/checks.js'
import { importProofKey, readProofKey } from '../../dpop/proof-key.js'
import type { JwsAlgorithm, SignatureKey } from '../../jose/algorithm.js'
import { decodeBase64url, decodeJsonSegment, splitCompactJws } from '../../jose/compact-jws.js'
import { type BoundedCache, createBoundedCache } from '../../store/bounded-cache.js'
import type { HeaderFields } from '../request/header-fields.js'
import { refuseProof } from '../response/auth-error.js'
import type { VerifiedToken } from '../token/access-token.js'

/** A proof that has passed every check but those of its key, its binding and its signature. */
export interface PresentedProof {
  readonly claims: ProofClaims
  /** The header segment, which stands for the key. */
  readonly header: string
  readonly jkt: string
  /** Whether a good token came with this key before. */
  readonly isKnownKey: boolean
  /** Whether its signature was checked, and holds. */
  isSigned: boolean
  readonly signed: Buffer
  readonly signature: Buffer
  /** Imports the key where that has not been done. @throws AuthError `invalid_dpop_proof` */
  key(): SignatureKey
}

export interface PresentedProofOptions {
  readonly algorithms: readonly JwsAlgorithm[]
  /** Seconds. */
  readonly maxAge: number
  /** Seconds. */
  readonly futureSkew: number
  /** Characters. */
  readonly maxLength: number
  /** Characters. */
  readonly maxJti: number
  /** Keys remembered at most. */
  readonly maxKeys: number
}

/** What the proof has to agree with. */
export interface ProofOccasion {
  readonly method: string
  readonly uris: readonly string[]
  readonly ath: string
  /** Seconds since the epoch. */
  readonly now: number
  /** The access token, when it is known from an earlier request. */
  readonly token: VerifiedToken | undefined
}

type KnownKey = NonNullable<VerifiedToken['pinned']>

export interface ProofReader {
  /** @throws AuthError `invalid_dpop_proof` */
  read(fields: HeaderFields, occasion: ProofOccasion): PresentedProof
  /** Remembers the key of a proof whose signature holds, with a token that is bound to it: no other key gets in. */
  remember(proof: PresentedProof, token: VerifiedToken): void
}

export function createProofReader({ algorithms, maxLength, maxKeys, ...limits }: PresentedProofOptions): ProofReader {
  const knownKeys: BoundedCache<KnownKey> = createBoundedCache(maxKeys)

  /** The same header segment is the same key: what was read once, with success, need not be read again. */
  function readKey(
    segment: string,
    token: VerifiedToken | undefined,
  ): Pick<PresentedProof, 'jkt' | 'isKnownKey' | 'key'> {
    const known = token?.pinned?.header === segment ? token.pinned : knownKeys.get(segment)
    if (known !== undefined) return { jkt: known.jkt, isKnownKey: true, key: () => known.key }
    const header = decodeJsonSegment(segment) ?? refuseProof(proofFaults.notCompactJws)
    const algorithm = readProofHeader(header, algorithms, refuseProof)
    const read = readProofKey(header.jwk, algorithm) ?? refuseProof(proofFaults.jwk)
    let imported: SignatureKey | undefined
    return {
      jkt: read.jkt,
      isKnownKey: false,
      // Once: an import costs as much as a signature check.
      key: () => (imported ??= importProofKey(read, algorithm) ?? refuseProof(proofFaults.jwk)),
    }
  }

  return {
    read({ proof, proofs }, { method, uris, ath, now, token }) {
      if (proof === undefined) return refuseProof(proofFaults.absent)
      if (proofs > 1) refuseProof(proofFaults.several)
      if (proof.length > maxLength) refuseProof(proofFaults.tooLong)
      const jws = splitCompactJws(proof) ?? refuseProof(proofFaults.notCompactJws)
      const members = decodeJsonSegment(jws.payload) ?? refuseProof(proofFaults.notCompactJws)
      // Before the key: what is stale, or for another request, is not worth a look at it.
      const claims = readProofClaims(members, { method, uris, ath, now, ...limits }, refuseProof)
      const { jkt, isKnownKey, key } = readKey(jws.header, token)
      return {
        claims,
        header: jws.header,
        jkt,
        isKnownKey,
        isSigned: false,
        key,
        signed: Buffer.from(proof.slice(0, -jws.signature.length - 1), 'latin1'),
        signature: decodeBase64url(jws.signature) ?? refuseProof(proofFaults.notCompactJws),
      }
    },

    remember({ header, jkt, key }, token) {
      if (token.pinned?.header === header) return
      const known = knownKeys.get(header)
      token.pinned = known ?? { header: copyOf(header), jkt, key: key() }
      if (known === undefined) knownKeys.set(token.pinned.header, token.pinned)
    },
  }
}

/** A text of its own: a part of a proof would keep the whole proof in memory for as long as itself. */
function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
