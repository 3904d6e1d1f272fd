import { constants, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { calculateJwkThumbprint, type JWK } from 'jose'
import { generateSigningJwk } from '../../src/jose/jwk.js'

/** The algorithms of FAPI 2.0 §5.4.1, and those that have to be refused. */
export type Algorithm = 'PS256' | 'ES256' | 'Ed25519' | 'EdDSA' | 'RS256' | 'none'
/** `Ed25519` is RFC 9864's name for what most software still calls `EdDSA`. */
export type FapiAlgorithm = 'PS256' | 'ES256' | 'Ed25519' | 'EdDSA'

export interface KeyPair {
  readonly algorithm: FapiAlgorithm
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicJwk: JWK
  readonly privateJwk: JWK
  readonly thumbprint: string
}

export type Claims = Readonly<Record<string, unknown>>

export function generateKey(algorithm: FapiAlgorithm): Promise<KeyPair> {
  // By way of DER: to export a key just generated as a JWK can make Node stand still.
  return keyPairOf(generateSigningJwk(algorithm === 'EdDSA' ? 'Ed25519' : algorithm), algorithm)
}

/** So many that no two are the same: in a run of the whole suite RSA keys come from a few that are handed out in turn. */
export async function differentKeys(count: number, algorithm: FapiAlgorithm): Promise<readonly KeyPair[]> {
  const keys = new Map<string, KeyPair>()
  while (keys.size < count) {
    const key = await generateKey(algorithm)
    keys.set(key.thumbprint, key)
  }
  return [...keys.values()]
}

export async function keyPairOf(jwk: JWK, algorithm: FapiAlgorithm): Promise<KeyPair> {
  const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  const bare = createPublicKey(privateKey).export({ format: 'jwk' }) as JWK
  const thumbprint = await calculateJwkThumbprint(bare)
  const kid = `kid-${thumbprint.slice(0, 12)}`
  const named = { kid, alg: algorithm, use: 'sig' }
  return {
    algorithm,
    kid,
    privateKey,
    publicJwk: { ...bare, ...named },
    privateJwk: { ...(privateKey.export({ format: 'jwk' }) as JWK), ...named },
    thumbprint,
  }
}

/** The members of a JWK that make it a public key, and nothing else. */
export function bareJwk({ publicJwk: { kid: _kid, alg: _alg, use: _use, ...bare } }: KeyPair): JWK {
  return bare
}

/**
 * A compact JWS with exactly this header and these claims, signed by `algorithm` whatever the header says: a library
 * would refuse to make most of what a server has to refuse.
 */
export function compactJws(header: Claims, claims: Claims, key: KeyObject, algorithm: Algorithm): string {
  const signed = `${encode(header)}.${encode(claims)}`
  return `${signed}.${signature(Buffer.from(signed), key, algorithm).toString('base64url')}`
}

function signature(data: Buffer, key: KeyObject, algorithm: Algorithm): Buffer {
  switch (algorithm) {
    case 'PS256':
      return sign('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 })
    case 'RS256':
      return sign('sha256', data, key)
    case 'ES256':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' })
    case 'Ed25519':
    case 'EdDSA':
      return sign(null, data, key)
    case 'none':
      return Buffer.alloc(0)
  }
}

/** A JWS that one of these keys has signed with the algorithm that its header names; undefined: none has. */
export function verifiedJws(
  jws: string,
  keys: readonly JWK[],
): { readonly header: Claims; readonly claims: Claims } | undefined {
  const [head = '', body = '', signature_ = ''] = jws.split('.')
  const decode = (part: string): Claims => JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims
  const header = decode(head)
  const data = Buffer.from(`${head}.${body}`)
  const holds = keys
    .filter(({ kid, alg }) => kid === header.kid && alg === header.alg)
    .some((jwk) => {
      const key = createPublicKey({ key: { ...jwk }, format: 'jwk' })
      return signatureHolds(data, key, String(header.alg), Buffer.from(signature_, 'base64url'))
    })
  return holds ? { header, claims: decode(body) } : undefined
}

function signatureHolds(data: Buffer, key: KeyObject, algorithm: string, signature_: Buffer): boolean {
  switch (algorithm) {
    case 'PS256':
      return verify('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature_)
    case 'ES256':
      return verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature_)
    case 'Ed25519':
    case 'EdDSA':
      return verify(null, data, key, signature_)
    default:
      return false
  }
}

function encode(value: Claims): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** `claims` with some replaced; `undefined` leaves one out. */
export function replaced(claims: Claims, overrides: Claims): Claims {
  return Object.fromEntries(Object.entries({ ...claims, ...overrides }).filter(([, value]) => value !== undefined))
}

/** The same JWS with another signature: its last character that carries whole bits is another one. */
export function withBadSignature(jws: string): string {
  const [header, claims, signature = ''] = jws.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  bytes.writeUInt8(bytes.readUInt8(8) ^ 0x5a, 8)
  return `${header}.${claims}.${bytes.toString('base64url')}`
}
