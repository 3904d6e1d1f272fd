import { fapiAlgorithms, isJwsAlgorithm, type JwsAlgorithm, signatureHolds } from '../jose/algorithm.js'
import { decodeBase64url, decodeJsonSegment, splitCompactJws } from '../jose/compact-jws.js'
import { isJsonObject } from '../jose/json-object.js'
import { claimChecks, headerChecks, type ProofFault, proofFaults, proofLimits } from './checks.js'
import { accessTokenHash } from './proof.js'
import { importProofKey, readProofKey } from './proof-key.js'

/** One line of an explanation. */
export interface ExplainedCheck {
  /** RFC and section, with the number of the check where the section counts them. */
  readonly check: string
  /** What is checked. */
  readonly what: string
  /** Whether the proof passes this check. */
  readonly holds: boolean
  /** What would pass. */
  readonly expected: string
  /** What is there. */
  readonly got: string
}

/** A proof, and the request that it came with. */
export interface ExplainedProof {
  /** Of the request. */
  readonly method: string
  /** What the client calls, or the URIs that this API is called by, as `normalizedTargetUri` writes them. */
  readonly uris: readonly string[]
  /** The DPoP header fields. */
  readonly proofs: readonly string[]
  /** Undefined: the proof came without one, and `ath` is not looked at. */
  readonly accessToken: string | undefined
  /** Seconds since the epoch. */
  readonly now: number
  /** Algorithms that are taken. Default: those of FAPI 2.0. */
  readonly algorithms?: readonly JwsAlgorithm[]
  /** Seconds a proof is accepted after its `iat`. Default: 60. */
  readonly maxAge?: number
  /** Seconds a proof may be ahead of `now`. Default: 10. */
  readonly futureSkew?: number
  /** Characters of the proof. Default: 8192. */
  readonly maxLength?: number
  /** Characters of the `jti`. Default: 256. */
  readonly maxJti?: number
}

/**
 * The checks of a proof, all of them, with what was expected and what was there: for a developer at a terminal. An API
 * must not answer with it. It does not throw.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3}
 * @example
 * ```ts
 * import { explainProof } from 'sallyport/dpop-validator'
 *
 * const checks = explainProof({
 *   method: 'GET',
 *   uris: ['https://orders.example.com/orders'],
 *   proofs: ['eyJ…'],
 *   accessToken: undefined,
 *   now: Date.now() / 1000,
 * })
 * console.assert(checks.some(({ holds }) => !holds))
 * ```
 */
export function explainProof({
  method,
  uris,
  proofs,
  accessToken,
  now,
  algorithms = fapiAlgorithms,
  maxAge = proofLimits.maxAge,
  futureSkew = proofLimits.futureSkew,
  maxLength = proofLimits.maxLength,
  maxJti = proofLimits.maxJti,
}: ExplainedProof): readonly ExplainedCheck[] {
  const [proof = ''] = proofs
  const jws = splitCompactJws(proof)
  const read = {
    header: jws && decodeJsonSegment(jws.header),
    claims: jws && decodeJsonSegment(jws.payload),
    signature: jws && decodeBase64url(jws.signature),
  }
  const { header = {}, claims = {} } = read
  const isReadable = Object.values(read).every((part) => part !== undefined)
  const algorithm = isJwsAlgorithm(header.alg) ? header.alg : undefined
  const key = algorithm && readProofKey(header.jwk, algorithm)
  const imported = key && algorithm && importProofKey(key, algorithm)
  const signed = Buffer.from(proof.slice(0, Math.max(proof.lastIndexOf('.'), 0)), 'latin1')
  const isSigned =
    imported !== undefined && read.signature !== undefined && signatureHolds(imported, signed, read.signature)
  const ath = accessToken === undefined ? undefined : accessTokenHash(accessToken)
  const expectations = { method, uris, ath, now, maxAge, futureSkew, maxJti }
  const bound = accessToken === undefined ? undefined : boundKey(accessToken)

  const row = (
    { check }: Pick<ProofFault, 'check'>,
    what: string,
    holds: boolean,
    expected: string,
    got: string,
  ): ExplainedCheck => ({
    check,
    what,
    holds,
    expected,
    got,
  })
  const ofClaim: Readonly<Record<string, string>> = {
    jti: `a text of 1 to ${maxJti} characters`,
    htm: method,
    htu: uris.join(' or '),
    nonce: 'a text, if any',
    iat: `${-futureSkew} to ${maxAge} s old`,
    exp: 'none, or later than now',
    nbf: 'none, or not later than now',
    ath: ath ?? 'none needed',
  }
  return [
    row(proofFaults.several, 'one DPoP header field', proofs.length === 1, '1', String(proofs.length)),
    row(proofFaults.tooLong, 'length', proof.length <= maxLength, `at most ${maxLength}`, String(proof.length)),
    row(proofFaults.notCompactJws, 'a compact JWS', isReadable, 'three base64url segments', isReadable ? 'yes' : 'no'),
    ...headerChecks.map(({ name, check, fault }) =>
      row({ check }, name, fault(header, algorithms) === undefined, ofHeader(name, algorithms), shown(header[name])),
    ),
    row(
      proofFaults.jwk,
      'jwk is public and fits alg',
      imported !== undefined,
      'a public key',
      isJsonObject(header.jwk)
        ? `${shown(header.jwk.kty)} ${shown(header.jwk.crv)} with ${Object.keys(header.jwk).join(', ').slice(0, 200)}`
        : 'none',
    ),
    row(
      proofFaults.signature,
      'signature',
      isSigned,
      'holds',
      imported === undefined ? 'no usable key' : isSigned ? 'holds' : 'does not hold',
    ),
    ...claimChecks.map(({ name, check, fault }) =>
      row(
        { check },
        name,
        fault(claims, expectations) === undefined,
        ofClaim[name] ?? '',
        name === 'iat' ? age(claims, now) : shown(claims[name]),
      ),
    ),
    ...(accessToken === undefined
      ? []
      : [
          row(
            { check: 'RFC9449-4.3-12b' },
            "the token's cnf.jkt",
            bound !== undefined && bound === key?.jkt,
            key === undefined ? "the thumbprint of the proof's key" : `${key.jkt}, the thumbprint of the proof's key`,
            bound ?? 'none: the access token is bound to no key, or is no JWT',
          ),
        ]),
  ]
}

function ofHeader(name: string, algorithms: readonly JwsAlgorithm[]): string {
  return name === 'typ' ? 'dpop+jwt' : name === 'alg' ? algorithms.join(' ') : 'absent'
}

function age({ iat }: Readonly<Record<string, unknown>>, now: number): string {
  return typeof iat === 'number' ? `${Math.round(now - iat)} s old` : shown(iat)
}

function boundKey(token: string): string | undefined {
  const jws = splitCompactJws(token)
  const cnf = (jws && decodeJsonSegment(jws.payload))?.cnf
  return isJsonObject(cnf) && typeof cnf.jkt === 'string' ? cnf.jkt : undefined
}

function shown(value: unknown): string {
  if (value === undefined) return 'absent'
  return (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 200)
}
