import type { JwsAlgorithm } from '../jose/algorithm.js'
import { joseType } from '../jose/jose-type.js'
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

/** Of a proof, unless an API says otherwise. Seconds and characters. FAPI 2.0 §5.3.2.1-13 allows a skew of 10 to 60. */
export const proofLimits = { maxAge: 60, futureSkew: 10, maxLength: 8192, maxJti: 256 } as const

/** How the caller turns a fault into its own kind of refusal. */
export type Refuse = (fault: ProofFault) => never

type Members = Readonly<Record<string, unknown>>

/**
 * One check of a proof. The verifiers stop at the first fault, an explanation runs all of them: so it cannot part from
 * their verdict.
 */
export interface ProofCheck<Expected> {
  /** Of the member that is looked at. */
  readonly name: string
  /** RFC and section. */
  readonly check: string
  readonly fault: (members: Members, expected: Expected) => ProofFault | undefined
}

/** What the header of a proof has to be, without its key. The value: the algorithms that are accepted. */
export const headerChecks: readonly ProofCheck<readonly JwsAlgorithm[]>[] = [
  check('typ', proofFaults.typ, (header) => joseType(header) === 'dpop+jwt'),
  check('alg', proofFaults.alg, ({ alg }, accepted: readonly JwsAlgorithm[]) => accepted.some((name) => name === alg)),
  ...['crit', 'zip', 'b64'].map((name) =>
    check<readonly JwsAlgorithm[]>(name, proofFaults.crit, (header) => !(name in header)),
  ),
]

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

/** What the claims of a proof have to be. */
export const claimChecks: readonly ProofCheck<ProofExpectations>[] = [
  check('jti', proofFaults.jti, ({ jti }, { maxJti }) => typeof jti === 'string' && jti !== '' && jti.length <= maxJti),
  check('htm', proofFaults.htm, ({ htm }, { method }) => htm === method),
  check('htu', proofFaults.htu, ({ htu }, { uris }) => typeof htu === 'string' && isOneOf(htu, uris)),
  check('nonce', proofFaults.nonce, ({ nonce }) => nonce === undefined || typeof nonce === 'string'),
  {
    name: 'iat',
    check: proofFaults.iat.check,
    fault({ iat }, { now, maxAge, futureSkew }) {
      if (typeof iat !== 'number' || !Number.isFinite(iat)) return proofFaults.iat
      if (iat > now + futureSkew) return proofFaults.future
      return iat < now - maxAge ? proofFaults.stale : undefined
    },
  },
  check(
    'exp',
    proofFaults.expired,
    ({ exp }, { now, futureSkew }) => exp === undefined || (typeof exp === 'number' && exp > now - futureSkew),
  ),
  check(
    'nbf',
    proofFaults.notYet,
    ({ nbf }, { now, futureSkew }) => nbf === undefined || (typeof nbf === 'number' && nbf <= now + futureSkew),
  ),
  check('ath', proofFaults.ath, (claims, { ath }) => ath === undefined || claims.ath === ath),
]

function check<Expected = ProofExpectations>(
  name: string,
  fault: ProofFault,
  holds: (members: Members, expected: Expected) => boolean,
): ProofCheck<Expected> {
  return { name, check: fault.check, fault: (members, expected) => (holds(members, expected) ? undefined : fault) }
}

/** The header of a proof without its key. @returns its `alg` */
export function readProofHeader(header: Members, accepted: readonly JwsAlgorithm[], refuse: Refuse): JwsAlgorithm {
  refuseFirst(headerChecks, header, accepted, refuse)
  return header.alg as JwsAlgorithm
}

export interface ProofClaims {
  readonly jti: string
  readonly iat: number
  readonly nonce: string | undefined
}

export function readProofClaims(claims: Members, expected: ProofExpectations, refuse: Refuse): ProofClaims {
  refuseFirst(claimChecks, claims, expected, refuse)
  const { jti, iat, nonce } = claims
  return { jti: jti as string, iat: iat as number, nonce: nonce as string | undefined }
}

function refuseFirst<Expected>(
  checks: readonly ProofCheck<Expected>[],
  members: Members,
  expected: Expected,
  refuse: Refuse,
): void {
  for (const { fault } of checks) {
    const found = fault(members, expected)
    if (found !== undefined) refuse(found)
  }
}

function isOneOf(htu: string, uris: readonly string[]): boolean {
  if (uris.includes(htu)) return true
  const normalized = normalizedTargetUri(htu)
  return normalized !== undefined && uris.includes(normalized)
}
