import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  type ECDH,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'

/** The algorithms of the FAPI 2.0 Security Profile §5.4.1. `Ed25519` is RFC 9864's name for what was `EdDSA`. */
export type SignatureAlgorithm = 'ES256' | 'PS256' | 'Ed25519'
export const signatureAlgorithms = ['ES256', 'PS256', 'Ed25519'] as const

/** A JSON Web Key, RFC 7517. */
export interface Jwk {
  /** Key type. */
  readonly kty?: string
  /** Names the key among others. */
  readonly kid?: string
  /** What it is used with. */
  readonly alg?: string
  /** `sig` or `enc`. */
  readonly use?: string
  /** Curve of an EC or OKP key. */
  readonly crv?: string
  /** Public: a coordinate, or the whole of an OKP key. */
  readonly x?: string
  /** Public: the other coordinate. */
  readonly y?: string
  /** Public: modulus of an RSA key. */
  readonly n?: string
  /** Public: exponent of an RSA key. */
  readonly e?: string
  /** Private. */
  readonly d?: string
  /** Any other member. */
  readonly [member: string]: unknown
}

/** A private key with what is published of it. */
export interface SigningKey {
  /** The JWK's `kid`, or its thumbprint (RFC 7638). */
  readonly kid: string
  /** The only algorithm it is used with. */
  readonly algorithm: SignatureAlgorithm
  /** What its JWK calls the algorithm: the name it is registered with, and what its signatures' headers should say. */
  readonly alg: SignatureAlgorithm | 'EdDSA'
  /** Signs. */
  readonly privateKey: KeyObject
  /** As it stands in a key set. */
  readonly publicJwk: Jwk
}

/** A public key that signatures of one algorithm are checked with. */
export interface VerificationKey {
  /** The JWK's `kid`, or its thumbprint (RFC 7638). */
  readonly kid: string
  /** The only algorithm it is used with. */
  readonly algorithm: SignatureAlgorithm
  /** Verifies. */
  readonly publicKey: KeyObject
  /** As it stands in a key set. */
  readonly publicJwk: Jwk
}

/** Members that only a private or a symmetric key has (RFC 7518 §6). */
export const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

/**
 * A private key that signs client assertions, of a JWK as `sallyport keygen` makes one.
 * @throws TypeError naming what is wrong with the key, never its value: no private member, an algorithm outside FAPI 2.0 §5.4.1
 * @example
 * ```ts
 * import { exportJWK, generateKeyPair } from 'jose'
 * import { type ClientAuthentication, signingKey } from 'sallyport/gateway'
 *
 * const { privateKey } = await generateKeyPair('PS256', { extractable: true })
 * const key = signingKey({ ...(await exportJWK(privateKey)), alg: 'PS256' })
 * export const clientAuthentication: ClientAuthentication = { method: 'private_key_jwt', keys: [key] }
 * ```
 */
export function signingKey(jwk: Jwk): SigningKey {
  if (typeof jwk.d !== 'string') throw new TypeError('is not a private key: it has no "d"')
  const algorithm = algorithmOf(jwk)
  const privateKey = importPrivateKey(jwk)
  const alg = jwk.alg === 'EdDSA' ? 'EdDSA' : algorithm
  return { algorithm, alg, privateKey, ...published(jwk, algorithm, createPublicKey(privateKey)) }
}

/**
 * A client's public key, of a JWK with `kty`, and `alg` where the key alone does not say it.
 * @throws TypeError naming what is wrong with the key, never its value: a private member, an algorithm outside FAPI 2.0 §5.4.1
 * @example
 * ```ts
 * import { exportJWK, generateKeyPair } from 'jose'
 * import { verificationKey } from 'sallyport/authorization-server'
 *
 * const { publicKey } = await generateKeyPair('ES256')
 * console.assert(verificationKey(await exportJWK(publicKey)).algorithm === 'ES256')
 * ```
 */
export function verificationKey(jwk: Jwk): VerificationKey {
  const secret = privateMembers.find((member) => member in jwk)
  if (secret !== undefined) throw new TypeError(`holds the private member "${secret}"`)
  const algorithm = algorithmOf(jwk)
  const publicKey = importPublicKey(jwk) ?? unusable()
  return { algorithm, publicKey, ...published(jwk, algorithm, publicKey) }
}

/** @throws TypeError that does not quote the key. */
export function importPrivateKey(jwk: Jwk): KeyObject {
  try {
    return createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  } catch {
    return unusable()
  }
}

/** @returns undefined when the key is not one, such as a point that is not on its curve. */
export function importPublicKey(jwk: Jwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** The EC P-256 key whose private number this is. @throws Error where it is none: 0, or not below the order of the curve */
export function p256PrivateJwk(scalar: Buffer): Jwk {
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  return p256JwkOf(curve)
}

function p256JwkOf(curve: ECDH): Jwk {
  // Node leaves out a number's leading zeros; a JWK has them (RFC 7518 §6.2.2.1).
  const number = curve.getPrivateKey('hex').padStart(64, '0')
  const point = curve.getPublicKey()
  const [d, x, y] = [Buffer.from(number, 'hex'), point.subarray(1, 33), point.subarray(33)].map((bytes) =>
    bytes.toString('base64url'),
  )
  return { kty: 'EC', crv: 'P-256', d, x, y } as Jwk
}

/** A new private key as a JWK with `kid` and `alg`. RSA keys have 2048 bits. */
export function generateSigningJwk(algorithm: SignatureAlgorithm): Jwk {
  const jwk = generatePrivateJwk(algorithm)
  return { ...jwk, kid: thumbprint(jwk), alg: algorithm, use: 'sig' }
}

/**
 * A new private key. None is generated as a key object: exporting one as a JWK while Node collects the generator's garbage locks
 * one mutex twice, and the process hangs permanently (seen on Node 20.20). By way of DER an EC key takes 0.7 ms of processor time
 * on Node 20, and each login has one; as numbers of its curve it takes 0.03 ms.
 */
export function generatePrivateJwk(algorithm: SignatureAlgorithm): Jwk {
  const publicKeyEncoding = { type: 'spki', format: 'der' } as const
  const privateKeyEncoding = { type: 'pkcs8', format: 'der' } as const
  switch (algorithm) {
    case 'ES256': {
      const curve = createECDH('prime256v1')
      curve.generateKeys()
      return p256JwkOf(curve)
    }
    case 'PS256':
      return jwkOf(
        generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding }).privateKey,
      )
    case 'Ed25519':
      return jwkOf(generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding }).privateKey)
  }
}

function jwkOf(pkcs8: Buffer): Jwk {
  return createPrivateKey({ key: pkcs8, type: 'pkcs8', format: 'der' }).export({ format: 'jwk' }) as Jwk
}

/** The public half of a JWK: its required members, `kid`, `alg` and `use`. */
export function publicHalf(jwk: Jwk): Jwk {
  const { kid, alg, use } = jwk
  return { ...publicMembers(jwk), ...(kid && { kid }), ...(alg && { alg }), ...(use && { use }) }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc7638 RFC 7638} */
export function thumbprint(jwk: Jwk): string {
  return createHash('sha256')
    .update(JSON.stringify(publicMembers(jwk)))
    .digest('base64url')
}

/** The members that make the key what it is, in lexicographic order (RFC 7638 §3.2, RFC 8037 §2). */
export function publicMembers({ kty, crv, x, y, n, e }: Jwk): Jwk {
  switch (kty) {
    case 'EC':
      return { crv, kty, x, y } as Jwk
    case 'OKP':
      return { crv, kty, x } as Jwk
    case 'RSA':
      return { e, kty, n } as Jwk
    default:
      throw new TypeError('is not an EC, OKP or RSA key')
  }
}

function algorithmOf({ kty, crv, alg, n }: Jwk): SignatureAlgorithm {
  const fits = (...names: string[]): boolean => alg === undefined || names.includes(alg)
  if (kty === 'EC' && crv === 'P-256' && fits('ES256')) return 'ES256'
  if (kty === 'OKP' && crv === 'Ed25519' && fits('Ed25519', 'EdDSA')) return 'Ed25519'
  if (kty === 'RSA' && fits('PS256')) {
    if (Buffer.from(n ?? '', 'base64url').length < 256) throw new TypeError('is an RSA key of less than 2048 bits')
    return 'PS256'
  }
  throw new TypeError('is not an EC P-256 (ES256), Ed25519 or RSA (PS256) key')
}

/** Without a cause: it would quote the key material. */
function unusable(): never {
  throw new TypeError('is not a usable key')
}

function published(jwk: Jwk, algorithm: SignatureAlgorithm, key: KeyObject) {
  const bare = key.export({ format: 'jwk' }) as Jwk
  const kid = jwk.kid ?? thumbprint(bare)
  return { kid, publicJwk: { ...publicMembers(bare), kid, alg: algorithm, use: 'sig' } as Jwk }
}
