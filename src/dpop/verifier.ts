import { verify } from 'node:crypto'
import { ProtocolError } from '../errors.js'
import {
  type Jwk,
  privateMembers,
  type SignatureAlgorithm,
  signatureAlgorithms,
  thumbprint,
  verificationKey,
} from '../keys.js'
import { accessTokenHash, type ProofTarget, targetUri } from './proof.js'

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
export type VerifyProof = (proof: string, target: ProofTarget) => VerifiedProof

/** The checks of a proof, in order. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3} */
export function createProofVerifier({
  algorithms = signatureAlgorithms,
  maxAge = 60,
  futureSkew = 10,
  now = () => Date.now() / 1000,
}: ProofVerifierOptions = {}): VerifyProof {
  return (proof, target) => {
    if (proof.length > 8192) refuse('the proof is too long')
    const [head = '', body = '', signature = '', ...rest] = proof.split('.')
    if (rest.length > 0) refuse('the proof is not a compact JWS')
    const header = objectOf(head)
    const claims = objectOf(body)

    if (header.typ !== 'dpop+jwt') refuse('the proof\'s "typ" is not dpop+jwt')
    const algorithm = header.alg === 'EdDSA' ? 'Ed25519' : header.alg
    if (!algorithms.some((allowed) => allowed === algorithm)) refuse('the proof\'s "alg" is not accepted')
    if ('crit' in header || 'zip' in header) refuse('the proof has header parameters that are not accepted')
    const jwk = header.jwk
    if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) refuse('the proof has no "jwk"')
    if (privateMembers.some((member) => member in jwk)) refuse('the proof\'s "jwk" is not a public key')

    const { jti, htm, htu, iat, ath, nonce, exp, nbf } = claims
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) refuse('the proof\'s "jti" is missing or unusable')
    if (htm !== target.method) refuse('the proof\'s "htm" is not the method of this request')
    if (typeof htu !== 'string' || !sameTarget(htu, target.url))
      refuse('the proof\'s "htu" is not the URI of this request')
    if (typeof iat !== 'number' || !Number.isFinite(iat)) refuse('the proof\'s "iat" is missing or unusable')
    if (iat > now() + futureSkew) refuse('the proof is from the future')
    if (iat < now() - maxAge) refuse('the proof is too old')
    if (exp !== undefined && !(typeof exp === 'number' && exp > now() - futureSkew)) refuse('the proof has expired')
    if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now() + futureSkew))
      refuse('the proof is not valid yet')
    if (nonce !== undefined && typeof nonce !== 'string') refuse('the proof\'s "nonce" is unusable')
    if (target.accessToken !== undefined && ath !== accessTokenHash(target.accessToken))
      refuse('the proof\'s "ath" is not the hash of the access token')

    const key = proofKey(jwk as Jwk)
    if (key.algorithm !== algorithm) refuse('the proof\'s "alg" does not fit its key')
    if (!signatureHolds(key, `${head}.${body}`, signature)) refuse("the proof's signature does not hold")
    return { jkt: thumbprint(jwk as Jwk), jti, iat, nonce, rememberUntil: iat + maxAge + futureSkew }
  }
}

function proofKey(jwk: Jwk) {
  try {
    return verificationKey(jwk)
  } catch (cause) {
    return refuse('the proof\'s "jwk" is not a key that is accepted', cause)
  }
}

function signatureHolds(key: ReturnType<typeof verificationKey>, signed: string, signature: string): boolean {
  const bytes = Buffer.from(signature, 'base64url')
  if (bytes.toString('base64url') !== signature) return false
  const data = Buffer.from(signed)
  switch (key.algorithm) {
    case 'ES256':
      return verify('sha256', data, { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, bytes)
    case 'PS256':
      return verify('sha256', data, { key: key.publicKey, padding: 6, saltLength: 32 }, bytes)
    case 'Ed25519':
      return verify(null, data, key.publicKey, bytes)
  }
}

/** Scheme and host ignore case and the default port may be spelled out; the path counts as it is (RFC 3986 §6.2.2). */
function sameTarget(htu: string, url: URL): boolean {
  const parts = /^([a-z][a-z0-9+.-]*):\/\/([^/?#@]*)([^?#]*)(?:\?[^#]*)?(?:#.*)?$/i.exec(htu)
  if (parts === null) return false
  const [, scheme = '', authority = '', path = ''] = parts
  const port = scheme.toLowerCase() === 'https' ? ':443' : ':80'
  const lowered = authority.toLowerCase()
  const host = lowered.endsWith(port) ? lowered.slice(0, -port.length) : lowered
  return `${scheme.toLowerCase()}://${host}${path || '/'}` === targetUri(url)
}

function objectOf(segment: string): Record<string, unknown> {
  const bytes = Buffer.from(segment, 'base64url')
  if (segment === '' || bytes.toString('base64url') !== segment) refuse('the proof is not a compact JWS')
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    refuse('the proof is not made of JSON objects', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse('the proof is not made of JSON objects')
  return value as Record<string, unknown>
}

function refuse(message: string, cause?: unknown): never {
  throw new ProtocolError('invalid_dpop_proof', message, { cause })
}
