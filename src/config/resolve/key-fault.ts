import { type Jwk, p256PrivateJwk } from '../../jose/jwk.js'

/** What its type signs with, by FAPI 2.0 §5.4.1. */
const algorithms = new Map<unknown, readonly string[]>([
  ['EC', ['ES256']],
  ['OKP', ['Ed25519', 'EdDSA']],
  ['RSA', ['PS256']],
])

/** Why a JWK cannot be a client's private key, where its members say so by themselves. Never a value of a secret one. */
export function keyFault(jwk: Jwk): [problem: string, remedy: string] | undefined {
  const { kty = '', alg, use, crv } = jwk
  if (kty === 'oct')
    return [
      'is a symmetric key ("kty": "oct"), and a private key goes here',
      'Write what `npx --no-install sallyport keygen` prints.',
    ]
  if (use === 'enc')
    return [
      'is for encryption ("use": "enc"), and has to sign',
      'Write a key of its own for signing, with "use": "sig".',
    ]
  if (Array.isArray(jwk.key_ops) && !jwk.key_ops.includes('sign'))
    return [
      'may not sign, by its "key_ops"',
      'Leave "key_ops" out, or write ["sign"], where this key is meant to sign.',
    ]
  const fitting = algorithms.get(kty)
  if (typeof alg === 'string' && fitting !== undefined && !fitting.includes(alg) && (kty !== 'EC' || crv === 'P-256'))
    return [
      `says "alg": "${alg.replaceAll(/[^\w-]/g, '?').slice(0, 20)}", and a key of this type signs with ${fitting.join(' or ')} here`,
      `Write "alg": "${fitting[0]}", and register the key as such; or another key.`,
    ]
  return kty === 'EC' && crv === 'P-256' ? pairFault(jwk) : undefined
}

/** The private number says what the public point is: one of another key would sign what nothing verifies. */
function pairFault({ d, x, y }: Jwk): [problem: string, remedy: string] | undefined {
  // What is no text at all is told elsewhere.
  if (typeof d !== 'string') return undefined
  const scalar = Buffer.from(d, 'base64url')
  if (scalar.length !== 32)
    return [`has a "d" of ${scalar.length} bytes, and P-256 has 32: it was cut`, 'Copy the key once more, as a whole.']
  try {
    const made = p256PrivateJwk(scalar)
    if (made.x === x && made.y === y) return undefined
  } catch {
    // 0, or beyond the curve's order.
  }
  return ['has a private "d" that does not belong to its "x" and "y"', 'Take all members from one key.']
}
