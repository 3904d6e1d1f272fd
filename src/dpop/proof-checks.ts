import { joseType } from './jose-type.js'
import type { JwsAlgorithm } from './jws-algorithm.js'
import { normalizedTargetUri } from './target-uri.js'

/** One way a proof can fail: the check that found it, and a text that may be sent in `error_description` as it is. */
export interface ProofFault {
  readonly check: string
  readonly text: string
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3} for the numbers. */
export const proofFaults = {
  absent: { check: 'RFC9449-7.1', text: 'the request has no DPoP proof' },
  several: { check: 'RFC9449-4.3-1', text: 'the request has more than one DPoP header field' },
  tooLong: { check: 'RFC9449-4.3-2', text: 'the proof is too long' },
  notCompactJws: { check: 'RFC9449-4.3-2', text: 'the proof is not a compact JWS made of JSON objects' },
  jti: { check: 'RFC9449-4.3-3', text: "the proof's jti is missing or unusable" },
  typ: { check: 'RFC9449-4.3-4', text: "the proof's typ is not dpop+jwt" },
  alg: { check: 'RFC9449-4.3-5', text: "the proof's alg is not accepted" },
  crit: { check: 'RFC7515-4.1.11', text: 'the proof has header parameters that are not accepted' },
  jwk: { check: 'RFC9449-4.3-7', text: "the proof's jwk is not a public key that fits its alg" },
  signature: { check: 'RFC9449-4.3-6', text: "the proof's signature does not hold" },
  htm: { check: 'RFC9449-4.3-8', text: "the proof's htm is not the method of this request" },
  htu: { check: 'RFC9449-4.3-9', text: "the proof's htu is not the URI of this request" },
  nonce: { check: 'RFC9449-4.3-10', text: "the proof's nonce is unusable" },
  iat: { check: 'RFC9449-4.3-11', text: "the proof's iat is missing or unusable" },
  future: { check: 'RFC9449-4.3-11', text: 'the proof is from the future' },
  stale: { check: 'RFC9449-4.3-11', text: 'the proof is too old' },
  expired: { check: 'RFC7519-4.1.4', text: 'the proof has expired' },
  notYet: { check: 'RFC7519-4.1.5', text: 'the proof is not valid yet' },
  ath: { check: 'RFC9449-4.3-12a', text: "the proof's ath is not the hash of the access token" },
  replayed: { check: 'RFC9449-11.1', text: 'the proof was used before' },
} as const satisfies Record<string, ProofFault>

/** How the caller turns a fault into its own kind of refusal. */
export type Refuse = (fault: ProofFault) => never

/** The header of a proof without its key. @returns its `alg` */
export function readProofHeader(
  header: Record<string, unknown>,
  accepted: readonly JwsAlgorithm[],
  refuse: Refuse,
): JwsAlgorithm {
  if (joseType(header) !== 'dpop+jwt') refuse(proofFaults.typ)
  const algorithm = accepted.find((name) => name === header.alg) ?? refuse(proofFaults.alg)
  if ('crit' in header || 'zip' in header || 'b64' in header) refuse(proofFaults.crit)
  return algorithm
}

/** What the claims of a proof have to agree with. */
export interface ProofExpectations {
  readonly method: string
  /** The URIs this request may be called by, each as `normalizedTargetUri` writes it. */
  readonly uris: readonly string[]
  /** Hash of the access token; undefined where the request carries none. */
  readonly ath: string | undefined
  /** Seconds since the epoch. */
  readonly now: number
  /** Seconds after `iat`. */
  readonly maxAge: number
  /** Seconds before `iat`. */
  readonly futureSkew: number
  /** Characters of a `jti` at most: what is remembered must not be the sender's choice. */
  readonly maxJti: number
}

export interface ProofClaims {
  readonly jti: string
  readonly iat: number
  readonly nonce: string | undefined
}

export function readProofClaims(
  { jti, htm, htu, iat, ath, nonce, exp, nbf }: Record<string, unknown>,
  expected: ProofExpectations,
  refuse: Refuse,
): ProofClaims {
  const { now, maxAge, futureSkew } = expected
  if (typeof jti !== 'string' || jti === '' || jti.length > expected.maxJti) refuse(proofFaults.jti)
  if (htm !== expected.method) refuse(proofFaults.htm)
  if (typeof htu !== 'string' || !isOneOf(htu, expected.uris)) refuse(proofFaults.htu)
  if (nonce !== undefined && typeof nonce !== 'string') refuse(proofFaults.nonce)
  if (typeof iat !== 'number' || !Number.isFinite(iat)) refuse(proofFaults.iat)
  if (iat > now + futureSkew) refuse(proofFaults.future)
  if (iat < now - maxAge) refuse(proofFaults.stale)
  if (exp !== undefined && !(typeof exp === 'number' && exp > now - futureSkew)) refuse(proofFaults.expired)
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + futureSkew)) refuse(proofFaults.notYet)
  if (expected.ath !== undefined && ath !== expected.ath) refuse(proofFaults.ath)
  return { jti, iat, nonce }
}

function isOneOf(htu: string, uris: readonly string[]): boolean {
  if (uris.includes(htu)) return true
  const normalized = normalizedTargetUri(htu)
  return normalized !== undefined && uris.includes(normalized)
}
