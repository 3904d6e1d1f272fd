import { constants, type KeyObject, sign, verify } from 'node:crypto'
import { fromDer, toDer } from './ecdsa.js'

/** The asymmetric algorithms of RFC 7518 §3 and RFC 9864. There is no way to name a symmetric one, or `none`. */
export type JwsAlgorithm = keyof typeof algorithms

export type JwsAlgorithmTraits = KeyTraits & {
  /** Absent: the algorithm has its own. */
  readonly digest?: string
  readonly padding?: number
  readonly saltLength?: number
  /** Bytes of a signature; absent: as many as the modulus has. */
  readonly signatureLength?: number
}

type KeyTraits =
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384' | 'P-521' }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519' }
  | { readonly kty: 'RSA'; readonly crv?: undefined }

const pss = constants.RSA_PKCS1_PSS_PADDING

const algorithms = {
  ES256: { kty: 'EC', crv: 'P-256', digest: 'sha256', signatureLength: 64 },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', signatureLength: 64 },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', signatureLength: 64 },
  PS256: { kty: 'RSA', digest: 'sha256', padding: pss, saltLength: 32 },
  ES384: { kty: 'EC', crv: 'P-384', digest: 'sha384', signatureLength: 96 },
  ES512: { kty: 'EC', crv: 'P-521', digest: 'sha512', signatureLength: 132 },
  PS384: { kty: 'RSA', digest: 'sha384', padding: pss, saltLength: 48 },
  PS512: { kty: 'RSA', digest: 'sha512', padding: pss, saltLength: 64 },
  RS256: { kty: 'RSA', digest: 'sha256' },
  RS384: { kty: 'RSA', digest: 'sha384' },
  RS512: { kty: 'RSA', digest: 'sha512' },
} as const satisfies Record<string, JwsAlgorithmTraits>

/** FAPI 2.0 Security Profile §5.4.1, with both names of the Ed25519 one. */
export const fapiAlgorithms: readonly JwsAlgorithm[] = ['ES256', 'EdDSA', 'Ed25519', 'PS256']

/** What a header or metadata may call it: RFC 9864 gave EdDSA with Ed25519 a name of its own. */
export function spellingsOf(algorithm: string): readonly string[] {
  return algorithm === 'Ed25519' || algorithm === 'EdDSA' ? ['Ed25519', 'EdDSA'] : [algorithm]
}

export const jwsAlgorithms = Object.keys(algorithms) as readonly JwsAlgorithm[]

export function isJwsAlgorithm(name: unknown): name is JwsAlgorithm {
  return typeof name === 'string' && Object.hasOwn(algorithms, name)
}

export function traitsOf(algorithm: JwsAlgorithm): JwsAlgorithmTraits {
  return algorithms[algorithm]
}

type SignatureInput = KeyObject | { readonly key: KeyObject; readonly padding: number; readonly saltLength: number }

/** A key, with all that OpenSSL has to be told to make a signature with it, or to check one. Made once per key. */
export interface SignatureKey {
  readonly algorithm: JwsAlgorithm
  readonly digest: string | null
  readonly signatureLength: number
  readonly isEcdsa: boolean
  readonly input: SignatureInput
}

export function signatureKey(algorithm: JwsAlgorithm, key: KeyObject): SignatureKey {
  const { kty, digest, padding, saltLength, signatureLength } = traitsOf(algorithm)
  return {
    algorithm,
    digest: digest ?? null,
    signatureLength: signatureLength ?? Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8),
    isEcdsa: kty === 'EC',
    input: padding === undefined || saltLength === undefined ? key : { key, padding, saltLength },
  }
}

/** On this thread. @param key A private one. */
export function signatureOf({ digest, input, signatureLength, isEcdsa }: SignatureKey, data: Buffer): Buffer {
  const made = sign(digest, data, input)
  return isEcdsa ? fromDer(made, signatureLength / 2) : made
}

/** On libuv's thread pool. @param key A private one. */
export function signatureOfInPool(key: SignatureKey, data: Buffer): Promise<Buffer> {
  const { digest, input, signatureLength, isEcdsa } = key
  return new Promise((resolve, reject) => {
    sign(digest, data, input, (error, made) =>
      error === null ? resolve(isEcdsa ? fromDer(made, signatureLength / 2) : made) : reject(error),
    )
  })
}

/** On this thread: a cached key's check costs less than handing it to another one. */
export function signatureHolds(
  { digest, input, signatureLength, isEcdsa }: SignatureKey,
  data: Buffer,
  signature: Buffer,
): boolean {
  if (signature.length !== signatureLength) return false
  try {
    return verify(digest, data, input, isEcdsa ? toDer(signature) : signature)
  } catch {
    return false
  }
}

/** On libuv's thread pool: more work in all, but the event loop stays free. */
export function signatureHoldsInPool(
  { digest, input, signatureLength, isEcdsa }: SignatureKey,
  data: Buffer,
  signature: Buffer,
): Promise<boolean> {
  if (signature.length !== signatureLength) return Promise.resolve(false)
  const encoded = isEcdsa ? toDer(signature) : signature
  return new Promise((resolve) => verify(digest, data, input, encoded, (error, holds) => resolve(!error && holds)))
}
