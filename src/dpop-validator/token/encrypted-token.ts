import type { KeyObject } from 'node:crypto'
import { decodeJsonSegment } from '../../jose/compact-jws.js'
import { importPrivateKey, type Jwk } from '../../jose/jwk.js'
import { refusals } from '../response/auth-error.js'

/** What an access token may be encrypted with. The key must be ours alone, so `dir` and the symmetric wraps are not among them. */
const keyManagement = ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW']
const contentEncryption = ['A128GCM', 'A256GCM', 'A128CBC-HS256', 'A256CBC-HS512']

/** Opens a token of five parts (RFC 7516) and gives back the JWT in it. @throws AuthError `invalid_token` */
export type DecryptToken = (token: string) => Promise<string>

/** @throws TypeError when the key is not a private one */
export function createTokenDecryption(key: KeyObject | Jwk): DecryptToken {
  const privateKey = 'asymmetricKeyType' in key ? (key as KeyObject) : importPrivateKey(key as Jwk)
  return async (token) => {
    const header = decodeJsonSegment(token.slice(0, token.indexOf('.')))
    // Compression before encryption tells lengths, and opens to a size of the sender's choice (RFC 8725 §3.6).
    if (header === undefined || 'zip' in header) throw refusals.notDecryptable
    // Only those who need it load it.
    const { compactDecrypt } = await import('jose')
    try {
      const { plaintext } = await compactDecrypt(token, privateKey, {
        keyManagementAlgorithms: keyManagement,
        contentEncryptionAlgorithms: contentEncryption,
      })
      return Buffer.from(plaintext).toString('latin1')
    } catch {
      throw refusals.notDecryptable
    }
  }
}
