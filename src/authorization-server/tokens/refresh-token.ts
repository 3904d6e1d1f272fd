import { randomBytes } from 'node:crypto'
import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'

/**
 * Bound to its client, which has to authenticate to use it; not to a DPoP key, so that a client may change its key; not
 * rotated (FAPI 2.0 §5.3.2.1-9), so that a lost answer does not end a session.
 */
export interface RefreshToken {
  readonly grantId: string
  readonly clientId: string
  readonly expiresAt: number
}

export interface RefreshTokens {
  issue(token: RefreshToken): Promise<string>
  find(token: string): Promise<RefreshToken | undefined>
  delete(token: string): Promise<boolean>
}

export function createRefreshTokens(store: Store, seal: Seal): RefreshTokens {
  const records = createSealedStore<RefreshToken>(store, seal, 'as refresh token')
  return {
    async issue(token) {
      const secret = randomBytes(32).toString('base64url')
      await records.add(secret, token, token.expiresAt)
      return secret
    },
    find: async (token) => (await records.get(token))?.value,
    delete: (token) => records.delete(token),
  }
}
