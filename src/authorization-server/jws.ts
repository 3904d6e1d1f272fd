import { sign, verify } from 'node:crypto'
import type { SigningKey, VerificationKey } from '../keys.js'

export type JsonObject = Readonly<Record<string, unknown>>

export interface VerifiedJws {
  readonly header: JsonObject
  readonly claims: JsonObject
}

/** A compact JWS (RFC 7515 §3.1) whose payload is a claims set. */
export async function signJws(key: SigningKey, type: string, claims: JsonObject): Promise<string> {
  const signed = `${encoded({ typ: type, alg: key.algorithm === 'Ed25519' ? 'EdDSA' : key.algorithm, kid: key.kid })}.${encoded(claims)}`
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

function parseJws(token: string) {
  const [head = '', body = '', tail = '', ...rest] = token.split('.')
  const [header, claims, signature] = [jsonObject(head), jsonObject(body), bytes(tail)]
  if (rest.length > 0 || header === undefined || claims === undefined || signature === undefined) return undefined
  return { header, claims, signed: Buffer.from(`${head}.${body}`), signature }
}

function signature({ algorithm, privateKey }: SigningKey, data: Buffer): Promise<Buffer> | Buffer {
  switch (algorithm) {
    case 'ES256':
      return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    case 'Ed25519':
      return sign(null, data, privateKey)
    case 'PS256':
      // RSA takes the better part of a millisecond: not on the thread that serves everybody.
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
      return verify('sha256', data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature)
    case 'PS256':
      return verify('sha256', data, { key: publicKey, padding: 6, saltLength: 32 }, signature)
    case 'Ed25519':
      return verify(null, data, publicKey, signature)
  }
}

function encoded(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

/** Only the one canonical spelling: a JWS that can be written in two ways has two hashes. */
function bytes(segment: string): Buffer | undefined {
  const decoded = Buffer.from(segment, 'base64url')
  return segment !== '' && decoded.toString('base64url') === segment ? decoded : undefined
}

function jsonObject(segment: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes(segment)))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    // Not UTF-8 or not JSON: not a JWS of claims.
    return undefined
  }
}
