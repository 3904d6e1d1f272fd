import { type CryptoKey, exportJWK, importJWK } from 'jose'
import * as openid from 'openid-client'
import type { SigningKey } from '../../jose/jwk.js'
import type { ClientAuthentication } from '../authorities/authority-options.js'
import type { FrontendOptions } from '../options.js'

/** @param accepted the algorithms that the server says it takes, known only once its metadata has been read */
export async function clientAuthentication(
  { clientAuthentication: authentication }: FrontendOptions,
  accepted: () => readonly string[],
): Promise<openid.ClientAuth> {
  if (authentication.method === 'client_secret_post') return openid.ClientSecretPost(authentication.secret)
  if (authentication.method === 'client_secret_basic') return openid.ClientSecretBasic(authentication.secret)
  if (authentication.method !== 'private_key_jwt') return openid.TlsClientAuth()
  const [key] = authentication.keys
  if (key === undefined) throw new TypeError('private_key_jwt needs a key')
  return openid.PrivateKeyJwt(await clientKey(key), {
    [openid.modifyAssertion](header) {
      header.alg = nameFor(key, accepted())
    },
  })
}

/** The keys that a client has, whatever they are for. */
export function keysOf(authentication: ClientAuthentication): readonly SigningKey[] {
  return 'secret' in authentication ? [] : (authentication.keys ?? [])
}

/** As openid-client signs with it. */
export async function clientKey({ privateKey, algorithm, kid }: SigningKey): Promise<openid.PrivateKey> {
  return { key: (await importJWK(await exportJWK(privateKey), algorithm)) as CryptoKey, kid }
}

/**
 * The name that the key is registered with, where the server takes it. RFC 9864 gave EdDSA with Ed25519 a name of its
 * own, and most servers know the old one only.
 */
export function nameFor({ alg, algorithm }: SigningKey, accepted: readonly string[]): string {
  if (algorithm !== 'Ed25519' || accepted.includes(alg)) return alg
  return accepted.includes('Ed25519') ? 'Ed25519' : 'EdDSA'
}
