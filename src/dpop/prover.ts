import { createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto'
import { generatePrivateJwk, type Jwk, thumbprint } from '../keys.js'
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

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export function createProver(proofKey: Jwk, now: () => number = () => Math.floor(Date.now() / 1000)): Prover {
  const key = createPrivateKey({ key: { ...proofKey }, format: 'jwk' })
  const publicJwk = createPublicKey(key).export({ format: 'jwk' }) as Jwk
  const header = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicJwk })).toString('base64url')
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
  const signer = { key, dsaEncoding: 'ieee-p1363' } as const

  return {
    thumbprint: thumbprint(publicJwk),

    prove(target) {
      const input = signingInput(target)
      return `${input}.${sign('sha256', Buffer.from(input), signer).toString('base64url')}`
    },

    rememberNonce(origin, nonce) {
      nonces.set(origin, nonce)
    },

    recallNonce: (origin) => nonces.get(origin),
  }
}
