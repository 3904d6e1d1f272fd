import { createHash } from 'node:crypto'
import type { JSONWebKeySet } from 'jose'
import { type Algorithm, type Claims, compactJws, type FapiAlgorithm, generateKey, type KeyPair } from '../_jose.js'
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
  for (const other of others) decoys.push(await keyFor(other))
  return { signing: await keyFor(algorithm), decoys }
}

/** Of all plans of a process: to make an RSA key takes its time. */
const made = new Map<FapiAlgorithm, Promise<KeyPair>>()

function keyFor(algorithm: FapiAlgorithm): Promise<KeyPair> {
  const known = made.get(algorithm) ?? generateKey(algorithm)
  made.set(algorithm, known)
  return known
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

/** Signs what the server says, with another algorithm where that is the misbehaviour. */
function signed({ signing, decoys }: ServerKeys, claims: Claims, algorithm: Algorithm, typ: Claims): string {
  const rsa = [signing, ...decoys].find((key) => key.algorithm === 'PS256')
  const key = algorithm === 'RS256' && rsa !== undefined ? rsa.privateKey : signing.privateKey
  return compactJws({ alg: algorithm, kid: signing.kid, ...typ }, claims, key, algorithm)
}

/** A signed authorization response as it should be (JARM §2.1), but for the misbehaviour. */
export function issueResponse(keys: ServerKeys, usual: Claims, misbehaviour: Misbehaviour): string {
  const claims = misbehaviour.signedResponse?.(usual) ?? usual
  const made = signed(keys, claims, misbehaviour.signedResponseAlgorithm ?? keys.signing.algorithm, {})
  return misbehaviour.spoilResponse?.(made) ?? made
}

/** An ID token as it should be, but for the misbehaviour. */
export function issueIdToken(keys: ServerKeys, subject: IdTokenSubject, misbehaviour: Misbehaviour): string {
  const { signing } = keys
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
  const made = signed(keys, claims, misbehaviour.idTokenAlgorithm ?? signing.algorithm, { typ: 'JWT' })
  return misbehaviour.spoil?.(made) ?? made
}
