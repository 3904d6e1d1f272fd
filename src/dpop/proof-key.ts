import { unreachable } from '../errors.js'
import { type JwsAlgorithm, type SignatureKey, signatureKey, traitsOf } from '../jose/algorithm.js'
import { decodeBase64url } from '../jose/compact-jws.js'
import { isJsonObject } from '../jose/json-object.js'
import { importPublicKey, type Jwk, privateMembers, thumbprint } from '../jose/jwk.js'

const coordinateLengths = { 'P-256': 32, 'P-384': 48, 'P-521': 66, Ed25519: 32 } as const

/** The `jwk` of a proof: public, of the algorithm's type, in its one canonical spelling. Not imported yet. */
export interface ProofKey {
  /** JWK SHA-256 thumbprint (RFC 7638). */
  readonly jkt: string
  readonly jwk: Jwk
}

/**
 * Reads without importing: an import costs as much as a signature check, and the thumbprint alone tells whether the key
 * is the one that the access token is bound to.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3, checks 5 and 7}
 */
export function readProofKey(value: unknown, algorithm: JwsAlgorithm): ProofKey | undefined {
  if (!isJsonObject(value) || privateMembers.some((member) => member in value)) return undefined
  const { kty, crv, x, y, n, e, use, key_ops, alg } = value
  const traits = traitsOf(algorithm)
  if (kty !== traits.kty || crv !== traits.crv) return undefined
  if (use !== undefined && use !== 'sig') return undefined
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes('verify'))) return undefined
  if (alg !== undefined && !isSameAlgorithm(alg, algorithm)) return undefined
  switch (traits.kty) {
    case 'EC':
      if (!isCoordinate(x, traits.crv) || !isCoordinate(y, traits.crv)) return undefined
      return proofKey({ kty: traits.kty, crv: traits.crv, x, y })
    case 'OKP':
      if (!isCoordinate(x, traits.crv) || smallOrderPoints.has(x)) return undefined
      return proofKey({ kty: traits.kty, crv: traits.crv, x })
    case 'RSA':
      return isModulus(n) && isExponent(e) ? proofKey({ kty: traits.kty, n, e }) : undefined
    default:
      return unreachable(traits)
  }
}

/** @returns undefined when the key is not one, such as a point that is not on its curve. */
export function importProofKey({ jwk }: ProofKey, algorithm: JwsAlgorithm): SignatureKey | undefined {
  const key = importPublicKey(jwk)
  return key && signatureKey(algorithm, key)
}

function proofKey(jwk: Jwk): ProofKey {
  return { jwk, jkt: thumbprint(jwk) }
}

function isSameAlgorithm(name: unknown, algorithm: JwsAlgorithm): boolean {
  const ed25519 = ['EdDSA', 'Ed25519']
  return name === algorithm || (typeof name === 'string' && ed25519.includes(name) && ed25519.includes(algorithm))
}

/** All of a coordinate's bytes, leading zeros included, and no more (RFC 7518 §6.2.1.2). */
function isCoordinate(value: unknown, crv: keyof typeof coordinateLengths): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === coordinateLengths[crv]
}

/** 2048 to 4096 bits, no leading zero (RFC 7518 §6.3.1.1): a bigger one only makes us work harder. */
function isModulus(value: unknown): value is string {
  const bytes = typeof value === 'string' && value.length <= 683 ? decodeBase64url(value) : undefined
  if (bytes === undefined || bytes.length < 256) return false
  return bytes.length > 256 ? bytes[0] !== 0 : (bytes[0] ?? 0) >= 0x80
}

function isExponent(value: unknown): value is string {
  const bytes = typeof value === 'string' && value.length <= 6 ? decodeBase64url(value) : undefined
  if (bytes === undefined || bytes.length === 0 || bytes[0] === 0) return false
  const exponent = bytes.readUIntBE(0, bytes.length)
  return exponent >= 3 && exponent % 2 === 1
}

/** Public keys of Ed25519 for which a signature says nothing about the message (RFC 8032 §5.1.7, small-order points). */
const smallOrderPoints: ReadonlySet<string> = new Set(
  [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000080',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ].map((point) => Buffer.from(point, 'hex').toString('base64url')),
)
