import { createHash } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { type Claims, compactJws, type FapiAlgorithm, generateKey, type KeyPair } from '../_jose.js'
import type { Misbehaviour } from './_misbehaviour.js'

export interface ServerKeys {
  /** Signs. */
  readonly signing: KeyPair
  /** Under the same `kid`, for other algorithms. */
  readonly decoys: readonly KeyPair[]
}

export async function generateServerKeys(algorithm: FapiAlgorithm): Promise<ServerKeys> {
  const curve = (name: FapiAlgorithm): string => (name === 'EdDSA' ? 'Ed25519' : name)
  const others = (['PS256', 'ES256', 'Ed25519'] as const).filter((other) => other !== curve(algorithm))
  const decoys = []
  for (const other of others) decoys.push(await generateKey(other))
  return { signing: await generateKey(algorithm), decoys }
}

/** FAPI 2.0 §5.4.3: one `kid` for all, so that a client has to choose by the other members. */
export function publishedKeys({ signing, decoys }: ServerKeys): JSONWebKeySet {
  const { kid } = signing
  const all = [...decoys, signing]
  const keys = all.map(({ publicJwk }) => ({ ...publicJwk, kid }))
  // The key of PS256 once more, as if it were there for RS256.
  const rsa = all.find(({ algorithm }) => algorithm === 'PS256')
  return { keys: rsa === undefined ? keys : [{ ...rsa.publicJwk, kid, alg: 'RS256' }, ...keys] }
}

export interface IdTokenSubject {
  readonly issuer: string
  readonly clientId: string
  readonly nonce: string | null
  readonly accessToken: string
}

/** An ID token as it should be, but for the misbehaviour. */
export function issueIdToken(
  { signing, decoys }: ServerKeys,
  subject: IdTokenSubject,
  misbehaviour: Misbehaviour,
): string {
  const { issuer, clientId, nonce, accessToken } = subject
  const now = Math.floor(Date.now() / 1000)
  const half = createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
  const usual: Claims = {
    iss: issuer,
    sub: 'user-1',
    aud: clientId,
    iat: now,
    exp: now + 300,
    auth_time: now,
    ...(nonce !== null && { nonce }),
    ...(signing.algorithm.endsWith('S256') && { at_hash: half }),
  }
  const claims = misbehaviour.idToken?.(usual) ?? usual
  const algorithm = misbehaviour.idTokenAlgorithm ?? signing.algorithm
  const rsa = [signing, ...decoys].find((key) => key.algorithm === 'PS256')
  const key = algorithm === 'RS256' && rsa !== undefined ? rsa.privateKey : signing.privateKey
  const made = compactJws({ alg: algorithm, kid: signing.kid, typ: 'JWT' }, claims, key, algorithm)
  return misbehaviour.spoil?.(made) ?? made
}
