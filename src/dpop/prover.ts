import { randomUUID } from 'node:crypto'
import { signatureKey, signatureOf } from '../jose/algorithm.js'
import { generatePrivateJwk, type Jwk, p256PrivateJwk, publicMembers, signingKey, thumbprint } from '../jose/jwk.js'
import { accessTokenHash, type ProofTarget, targetUri } from './proof.js'

/** Holds one key pair and makes a fresh proof with it for each request. */
export interface Prover {
  /** JWK SHA-256 thumbprint of the public key: what the server puts into `cnf.jkt`. */
  readonly thumbprint: string
  prove(target: ProofTarget): string
  /** Keeps the last nonce an origin gave us; the next proof for that origin carries it. */
  rememberNonce(origin: string, nonce: string): void
  recallNonce(origin: string): string | undefined
}

interface ProofClaims {
  readonly jti: string
  readonly htm: string
  readonly htu: string
  readonly iat: number
  nonce?: string
  ath?: string
}

/** A new EC P-256 private key: the fast one (OpenSSL has assembly for it) and the one every server takes. */
export function generateProofKey(): Jwk {
  return generatePrivateJwk('ES256')
}

/** Of the points of P-256 (FIPS 186-5): a private key is a number below it. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

/**
 * The EC P-256 private key that belongs to a secret: always the same one.
 * @param secret 48 bytes: 16 more than a key has, so that no key is likelier than another (FIPS 186-5 §A.2.1).
 */
export function deriveProofKey(secret: Buffer): Jwk {
  const scalar = (BigInt(`0x${secret.toString('hex')}`) % (order - 1n)) + 1n
  return p256PrivateJwk(Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex'))
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export function createProver(proofKey: Jwk, now: () => number = () => Math.floor(Date.now() / 1000)): Prover {
  const { privateKey, publicJwk: named } = signingKey(proofKey)
  const publicJwk = publicMembers(named)
  const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicJwk })).toString('base64url')
  const signing = signatureKey('ES256', privateKey)
  // One entry per origin we call, and those come from the configuration: it cannot grow without bound.
  const nonces = new Map<string, string>()

  // Most calls carry the token of the call before.
  let hashed = { accessToken: '', ath: '' }
  const athOf = (accessToken: string): string => {
    if (hashed.accessToken !== accessToken) hashed = { accessToken, ath: accessTokenHash(accessToken) }
    return hashed.ath
  }

  const signingInput = ({ method, url, accessToken, nonce = nonces.get(url.origin) }: ProofTarget): string => {
    const claims: ProofClaims = { jti: randomUUID(), htm: method, htu: targetUri(url), iat: now() }
    if (nonce !== undefined) claims.nonce = nonce
    if (accessToken !== undefined) claims.ath = athOf(accessToken)
    return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  }

  return {
    thumbprint: thumbprint(publicJwk),

    prove(target) {
      const input = signingInput(target)
      return `${input}.${signatureOf(signing, Buffer.from(input)).toString('base64url')}`
    },

    rememberNonce(origin, nonce) {
      nonces.set(origin, nonce)
    },

    recallNonce: (origin) => nonces.get(origin),
  }
}
