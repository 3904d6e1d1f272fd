import { compactVerify, errors } from 'jose'
import { spellingsOf } from '../../jose/algorithm.js'
import { type JsonObject, readCompactJws } from '../../jose/compact-jws.js'
import type { SigningKey, VerificationKey } from '../../jose/jwk.js'
import { signJws } from '../../jose/sign-jws.js'
import type { ServerAlgorithm } from '../options.js'

export interface VerifiedJws {
  readonly header: JsonObject
  readonly claims: JsonObject
}

/** The one name that headers, metadata and the key set have for it. Most clients know Ed25519 as EdDSA only. */
export function nameOf(algorithm: ServerAlgorithm): string {
  return algorithm === 'Ed25519' ? 'EdDSA' : algorithm
}

/** A JWT of this server. @param type Undefined where its specification defines none. */
export function signToken(key: SigningKey, type: string | undefined, claims: JsonObject): Promise<string> {
  return signJws(key, { ...(type !== undefined && { typ: type }), alg: nameOf(key.algorithm), kid: key.kid }, claims)
}

/**
 * Nothing of the claims is believed before one of the keys fits. Keys are chosen by `kid` and by `alg`, since a `kid` may
 * come twice (FAPI 2.0 §5.4.3). The text is read as strictly as a proof is: jose alone would take the last of two members
 * with one name.
 * @returns Undefined when it is not a JWS, or no key of ours made it.
 */
export async function verifyJws(token: string, keys: readonly VerificationKey[]): Promise<VerifiedJws | undefined> {
  const jws = readCompactJws(token)
  if (jws === undefined || 'crit' in jws.header || 'zip' in jws.header) return undefined
  const { header, claims } = jws
  for (const key of keys) if (fits(key, header) && (await signatureHolds(token, key))) return { header, claims }
  return undefined
}

function fits({ algorithm, kid }: VerificationKey, header: JsonObject): boolean {
  return spellingsOf(algorithm).some((name) => name === header.alg) && (header.kid === undefined || header.kid === kid)
}

async function signatureHolds(token: string, { algorithm, publicKey }: VerificationKey): Promise<boolean> {
  try {
    await compactVerify(token, publicKey, { algorithms: [...spellingsOf(algorithm)] })
    return true
  } catch (error) {
    if (error instanceof errors.JOSEError) return false
    throw error
  }
}
