import { hkdfSync } from 'node:crypto'
import { generateSigningJwk, type Jwk, p256PrivateJwk, thumbprint } from '../../jose/jwk.js'
import type { StateDirectory } from './state-directory.js'

/**
 * The keys of a client for which none was given: made once and kept, or, where sealing keys are given, derived from those,
 * so that every replica has the same without being told. The first one signs.
 */
export function madeClientKeys(clientId: string, sealingKeys: readonly Buffer[], state: StateDirectory): Jwk[] {
  if (sealingKeys.length > 0) return sealingKeys.map((key) => derivedClientKey(key, clientId))
  const name = `client-${encodeURIComponent(clientId)}.jwk`
  return [JSON.parse(state.keep(name, () => JSON.stringify(generateSigningJwk('ES256')))) as Jwk]
}

function derivedClientKey(sealingKey: Buffer, clientId: string): Jwk {
  for (let attempt = 0; ; attempt++) {
    const scalar = Buffer.from(hkdfSync('sha256', sealingKey, '', `sallyport client key ${attempt} ${clientId}`, 32))
    try {
      const jwk = p256PrivateJwk(scalar)
      return { ...jwk, kid: thumbprint(jwk), alg: 'ES256', use: 'sig' }
    } catch {
      // Not below the order of the curve: once in four billion.
    }
  }
}
