import { type Jwk, type SigningKey, signingKey } from '../../jose/jwk.js'
import { keyFault } from './key-fault.js'

/**
 * The private keys of a configuration, each imported and compared with its public half once. A reload passes those of the
 * configuration that runs: of a thousand frontends with their keys one has changed. What the new one does not name is not kept.
 */
export interface KnownKeys {
  /** By their JWKs as text. */
  readonly found: ReadonlyMap<string, SigningKey>
  /** What keeps it from being a client's signing key, in words that hold none of its values. */
  fault(jwk: Jwk): [problem: string, remedy: string] | undefined
  /** @throws TypeError for one that has a fault */
  signingKey(jwk: Jwk): SigningKey
}

export function createKnownKeys({ found: before }: Pick<KnownKeys, 'found'> = { found: new Map() }): KnownKeys {
  const found = new Map<string, SigningKey>()
  const known = (jwk: Jwk): SigningKey | undefined => {
    const name = JSON.stringify(jwk)
    const key = found.get(name) ?? before.get(name)
    if (key !== undefined) found.set(name, key)
    return key
  }
  const imported = (jwk: Jwk): SigningKey => {
    const key = signingKey(jwk)
    found.set(JSON.stringify(jwk), key)
    return key
  }
  return {
    found,
    fault(jwk) {
      if (known(jwk) !== undefined) return undefined
      const fault = keyFault(jwk)
      if (fault !== undefined) return fault
      try {
        imported(jwk)
        return undefined
      } catch (error) {
        return [(error as Error).message, 'Write the private JWK that `npx --no-install sallyport keygen` prints.']
      }
    },
    signingKey: (jwk) => known(jwk) ?? imported(jwk),
  }
}
