import { sign, verify } from 'node:crypto'
import { decodeBase64url, decodeJsonSegment, splitCompactJws } from '../../jose/compact-jws.js'
import { es256Holds, signEs256 } from '../../jose/ecdsa.js'
import type { SigningKey, VerificationKey } from '../../jose/jwk.js'
import type { ServerAlgorithm } from '../options.js'

export type JsonObject = Readonly<Record<string, unknown>>

export interface VerifiedJws {
  readonly header: JsonObject
  readonly claims: JsonObject
}

/** The one name that headers, metadata and the key set have for it. Most clients know Ed25519 as EdDSA only. */
export function nameOf(algorithm: ServerAlgorithm): string {
  return algorithm === 'Ed25519' ? 'EdDSA' : algorithm
}

/** A compact JWS (RFC 7515 §3.1) whose payload is a claims set. */
export async function signJws(key: SigningKey, type: string, claims: JsonObject): Promise<string> {
  const signed = `${encoded({ typ: type, alg: nameOf(key.algorithm), kid: key.kid })}.${encoded(claims)}`
  return `${signed}.${(await signature(key, Buffer.from(signed))).toString('base64url')}`
}

/**
 * Nothing of the claims is believed before one of the keys fits. Keys are chosen by `kid` and by `alg`, since a `kid` may
 * come twice (FAPI 2.0 §5.4.3).
 * @returns Undefined when it is not a JWS, or no key of ours made it.
 */
export function verifyJws(token: string, keys: readonly VerificationKey[]): VerifiedJws | undefined {
  const parsed = parseJws(token)
  if (parsed === undefined) return undefined
  const { header, claims, signed, signature } = parsed
  const algorithm = header.alg === 'EdDSA' ? 'Ed25519' : header.alg
  if ('crit' in header || 'zip' in header) return undefined
  const fits = keys.some(
    (key) =>
      key.algorithm === algorithm &&
      (header.kid === undefined || header.kid === key.kid) &&
      signatureHolds(key, signed, signature),
  )
  return fits ? { header, claims } : undefined
}

/** Strictly: what two readers could read in two ways (a repeated member, another base64url spelling) is no JWS. */
function parseJws(token: string) {
  const parts = splitCompactJws(token)
  const [header, claims] = [parts && decodeJsonSegment(parts.header), parts && decodeJsonSegment(parts.payload)]
  const signature = parts && decodeBase64url(parts.signature)
  if (parts === undefined || header === undefined || claims === undefined || signature === undefined) return undefined
  return { header, claims, signed: Buffer.from(`${parts.header}.${parts.payload}`), signature }
}

function signature({ algorithm, privateKey }: SigningKey, data: Buffer): Promise<Buffer> | Buffer {
  switch (algorithm) {
    case 'ES256':
      return signEs256(privateKey, data)
    case 'Ed25519':
      return sign(null, data, privateKey)
    case 'PS256':
      // RSA takes the better part of a millisecond: not on the thread that serves all requests.
      return new Promise((resolve, reject) => {
        sign('sha256', data, { key: privateKey, padding: 6, saltLength: 32 }, (error, made) =>
          error === null ? resolve(made) : reject(error),
        )
      })
  }
}

function signatureHolds({ algorithm, publicKey }: VerificationKey, data: Buffer, signature: Buffer): boolean {
  switch (algorithm) {
    case 'ES256':
      return es256Holds(publicKey, data, signature)
    case 'PS256':
      return verify('sha256', data, { key: publicKey, padding: 6, saltLength: 32 }, signature)
    case 'Ed25519':
      return verify(null, data, publicKey, signature)
  }
}

function encoded(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
