import { hkdfSync } from 'node:crypto'
import { deriveProofKey } from '../../dpop/prover.js'
import type { Jwk } from '../../jose/jwk.js'
import type { FrontendOptions } from '../options.js'

/** What one attempt to log in proves itself with. */
export interface LoginSecrets {
  /** Undefined without OpenID Connect. */
  readonly nonce: string | undefined
  readonly codeVerifier: string
  /** Undefined without DPoP. */
  readonly proofKey: Jwk | undefined
}

/**
 * All of an attempt's secrets out of one, so that its cookie stays small. HKDF gives each label an independent key
 * (RFC 5869 §3.2): that the nonce is known to the authorization server says nothing about the other two.
 * @param seed 32 random bytes, base64url.
 */
export function deriveLoginSecrets(seed: string, { scopes, dpop }: FrontendOptions): LoginSecrets {
  const derive = (label: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', Buffer.from(seed, 'base64url'), '', `sallyport login ${label}`, length))
  return {
    nonce: scopes.includes('openid') ? derive('nonce', 32).toString('base64url') : undefined,
    codeVerifier: derive('code verifier', 32).toString('base64url'),
    proofKey: dpop ? deriveProofKey(derive('proof key', 48)) : undefined,
  }
}
