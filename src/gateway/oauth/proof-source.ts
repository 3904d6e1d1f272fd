import * as openid from 'openid-client'
import { type Jwk, publicHalf } from '../../jose/jwk.js'
import { importParameters } from './client-authentication.js'
import type { IssuerFetch } from './issuer-fetch.js'

/** openid-client's own proofs, for the server's endpoints, with the session's key. */
export function createProofSource(fetch: IssuerFetch) {
  return async (known: openid.Configuration, proofKey: Jwk): Promise<openid.DPoPHandle> => {
    const { kty, crv, x, y } = publicHalf(proofKey)
    const parameters = importParameters('ES256')
    const [privateKey, publicKey] = await Promise.all([
      crypto.subtle.importKey('jwk', { ...proofKey }, parameters, false, ['sign']),
      crypto.subtle.importKey('jwk', { kty, crv, x, y } as Jwk, parameters, true, ['verify']),
    ])
    return openid.getDPoPHandle(
      known,
      { privateKey, publicKey },
      {
        // A nonce this server gave for another session spares a refusal; if it does not take it, it gives a new one.
        [openid.modifyAssertion](_header, payload) {
          const nonce = typeof payload.htu === 'string' ? fetch.nonceOf(new URL(payload.htu).origin) : undefined
          if (payload.nonce === undefined && nonce !== undefined) payload.nonce = nonce
        },
      },
    )
  }
}
