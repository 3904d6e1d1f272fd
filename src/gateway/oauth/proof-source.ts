import { type CryptoKey, importJWK } from 'jose'
import * as openid from 'openid-client'
import { type Jwk, publicMembers } from '../../jose/jwk.js'
import type { IssuerFetch } from './issuer-fetch.js'

/** openid-client's own proofs, for the server's endpoints, with the session's key. */
export function createProofSource(fetch: IssuerFetch) {
  return async (known: openid.Configuration, proofKey: Jwk): Promise<openid.DPoPHandle> => {
    const [privateKey, publicKey] = (await Promise.all([
      importJWK({ ...proofKey }, 'ES256'),
      importJWK({ ...publicMembers(proofKey) }, 'ES256'),
    ])) as [CryptoKey, CryptoKey]
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
