import { hash } from 'node:crypto'
import { decodeBase64url, decodeJsonSegment, splitCompactJws } from '../dpop/compact-jws.js'
import { isJsonObject } from '../dpop/json-object.js'
import { fapiAlgorithms, isJwsAlgorithm, type JwsAlgorithm, signatureHolds } from '../dpop/jws-algorithm.js'
import { importProofKey, readProofKey } from '../dpop/proof-key.js'
import { normalizedTargetUri } from '../dpop/target-uri.js'

/** One line of an explanation. */
export interface ExplainedCheck {
  /** RFC and section, with the number of the check where the section counts them. */
  readonly check: string
  readonly what: string
  readonly holds: boolean
  readonly expected: string
  readonly got: string
}

export interface ExplainedProof {
  readonly method: string
  /** What the client calls, or the URIs that this API is called by. */
  readonly uris: readonly string[]
  /** The DPoP header fields. */
  readonly proofs: readonly string[]
  readonly accessToken: string | undefined
  /** Seconds since the epoch. */
  readonly now: number
  /** Default: those of FAPI 2.0. */
  readonly algorithms?: readonly JwsAlgorithm[]
  /** Seconds. Default: 60. */
  readonly maxAge?: number
  /** Seconds. Default: 10. */
  readonly futureSkew?: number
}

/**
 * The checks of a proof, all of them, with what was expected and what was there: for a developer at a terminal. An API
 * must not answer with it.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3}
 */
export function explainProof({
  method,
  uris,
  proofs,
  accessToken,
  now,
  algorithms = fapiAlgorithms,
  maxAge = 60,
  futureSkew = 10,
}: ExplainedProof): readonly ExplainedCheck[] {
  const [proof = ''] = proofs
  const jws = splitCompactJws(proof)
  const header = (jws && decodeJsonSegment(jws.header)) ?? {}
  const claims = (jws && decodeJsonSegment(jws.payload)) ?? {}
  const signature = jws && decodeBase64url(jws.signature)
  const isReadable = Object.keys(header).length > 0 && Object.keys(claims).length > 0 && signature !== undefined
  const algorithm = isJwsAlgorithm(header.alg) ? header.alg : undefined
  const key = algorithm && readProofKey(header.jwk, algorithm)
  const imported = key && algorithm && importProofKey(key, algorithm)
  const signed = Buffer.from(proof.slice(0, proof.lastIndexOf('.')), 'latin1')
  const missing = ['jti', 'htm', 'htu', 'iat', ...(accessToken === undefined ? [] : ['ath'])].filter(
    (n) => !(n in claims),
  )
  const htu = typeof claims.htu === 'string' ? normalizedTargetUri(claims.htu) : undefined
  const age = typeof claims.iat === 'number' ? Math.round(now - claims.iat) : undefined
  const token = accessToken === undefined ? undefined : tokenClaims(accessToken)
  const ath = accessToken === undefined ? undefined : hash('sha256', accessToken, 'base64url')

  const row = (check: string, what: string, holds: boolean, expected: string, got: string): ExplainedCheck => ({
    check,
    what,
    holds,
    expected,
    got,
  })
  return [
    row('RFC9449-4.3-1', 'one DPoP header field', proofs.length === 1, '1', String(proofs.length)),
    row('RFC9449-4.3-2', 'a compact JWS', isReadable, 'three base64url segments', isReadable ? 'yes' : 'no'),
    row(
      'RFC9449-4.3-3',
      'required claims',
      missing.length === 0,
      'all',
      missing.length ? `no ${missing.join(', ')}` : 'all',
    ),
    row('RFC9449-4.3-4', 'typ', header.typ === 'dpop+jwt', 'dpop+jwt', shown(header.typ)),
    row(
      'RFC9449-4.3-5',
      'alg',
      algorithms.some((a) => a === header.alg),
      algorithms.join(' '),
      shown(header.alg),
    ),
    row(
      'RFC9449-4.3-6',
      'signature',
      holdsWith(imported, signed, signature),
      'holds',
      imported ? 'see left' : 'no usable key',
    ),
    row(
      'RFC9449-4.3-7',
      'jwk is public and fits alg',
      key !== undefined,
      'a public key',
      isJsonObject(header.jwk)
        ? `${shown(header.jwk.kty)} ${shown(header.jwk.crv)} with ${Object.keys(header.jwk).join(', ')}`
        : 'none',
    ),
    row('RFC9449-4.3-8', 'htm', claims.htm === method, method, shown(claims.htm)),
    row('RFC9449-4.3-9', 'htu', htu !== undefined && uris.includes(htu), uris.join(' or '), shown(claims.htu)),
    row(
      'RFC9449-4.3-10',
      'nonce',
      claims.nonce === undefined || typeof claims.nonce === 'string',
      'a text, if any',
      claims.nonce === undefined ? 'none' : typeof claims.nonce,
    ),
    row(
      'RFC9449-4.3-11',
      'iat',
      age !== undefined && age <= maxAge && age >= -futureSkew,
      `${-futureSkew} to ${maxAge} s old`,
      age === undefined ? shown(claims.iat) : `${age} s old`,
    ),
    row('RFC9449-4.3-12a', 'ath', ath === undefined || claims.ath === ath, ath ?? 'none needed', shown(claims.ath)),
    row(
      'RFC9449-4.3-12b',
      "the token's cnf.jkt",
      token?.jkt === undefined ? accessToken === undefined : token.jkt === key?.jkt,
      token?.jkt ?? (accessToken === undefined ? 'no access token' : 'the token shows none'),
      key?.jkt ?? 'no usable key',
    ),
  ]
}

function holdsWith(key: ReturnType<typeof importProofKey>, signed: Buffer, signature: Buffer | undefined): boolean {
  return key !== undefined && signature !== undefined && signatureHolds(key, signed, signature)
}

function tokenClaims(token: string): { readonly jkt: string | undefined } {
  const jws = splitCompactJws(token)
  const cnf = (jws && decodeJsonSegment(jws.payload))?.cnf
  return { jkt: isJsonObject(cnf) && typeof cnf.jkt === 'string' ? cnf.jkt : undefined }
}

function shown(value: unknown): string {
  return value === undefined
    ? 'absent'
    : typeof value === 'string'
      ? value.slice(0, 200)
      : JSON.stringify(value).slice(0, 200)
}

/** A table for a terminal. Control characters of the other side do not get to it. */
export function explanationText(checks: readonly ExplainedCheck[]): string {
  const clean = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')
  return checks
    .map(({ check, what, holds, expected, got }) =>
      [
        `${holds ? 'ok  ' : 'FAIL'} ${check.padEnd(16)} ${what}`,
        ...(holds ? [] : [`       expected ${clean(expected)}`, `       got      ${clean(got)}`]),
      ].join('\n'),
    )
    .join('\n')
}
