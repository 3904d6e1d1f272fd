import { explainProof } from '../../../dpop/explanation.js'
import { readProofKey } from '../../../dpop/proof-key.js'
import { isJwsAlgorithm } from '../../../jose/algorithm.js'
import { decodeJsonSegment, splitCompactJws } from '../../../jose/compact-jws.js'
import type { ProofFacts } from './exchange.js'

interface Proven {
  readonly method: string
  /** As it was called. */
  readonly uri: string
  readonly proofs: readonly string[]
  readonly accessToken: string | undefined
  /** Seconds since the epoch. */
  readonly now: number
}

/** What a proof says, and what a verifier looks at in it. Its replay memory is not asked. */
export function proofFacts({ uri, ...proven }: Proven): ProofFacts {
  const [proof = ''] = proven.proofs
  const jws = splitCompactJws(proof)
  const header = (jws && decodeJsonSegment(jws.header)) ?? {}
  const claims = (jws && decodeJsonSegment(jws.payload)) ?? {}
  const key = isJwsAlgorithm(header.alg) ? readProofKey(header.jwk, header.alg) : undefined
  return { header, claims, jkt: key?.jkt, checks: explainProof({ ...proven, uris: [uri] }) }
}

/** Claims of an access token that is a JWT. It is worth nothing without its signature. */
export function tokenFacts(token: string): Readonly<Record<string, unknown>> | undefined {
  const jws = splitCompactJws(token)
  return jws && decodeJsonSegment(jws.payload)
}
