import { randomBytes } from 'node:crypto'
import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'
import type { AuthorizationDetail, UserClaims } from '../options.js'
import type { Target } from './resources.js'

/** What a user allowed a client; for client credentials there is no user. Tokens live only as long as their grant does. */
export interface Grant {
  readonly clientId: string
  readonly scopes: readonly string[]
  readonly target: Target
  /** What the user allowed besides scopes. Absent: nothing. */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /** Absent for client credentials. */
  readonly user?: GrantUser
}

export interface GrantUser {
  readonly subject: string
  readonly claims: UserClaims
  /** Of the server's own session: what back-channel logout names. */
  readonly sid: string
  readonly authTime: number
  readonly amr: readonly string[]
  readonly acr?: string
}

/**
 * The grants that are alive. Revoking one ends everything that was issued from it, and since nothing writes a grant after
 * its start, what is revoked cannot come back.
 */
export interface Grants {
  start(grant: Grant, expiresAt: number): Promise<string>
  find(grantId: string): Promise<Grant | undefined>
  /** False when it has been revoked. */
  extend(grantId: string, expiresAt: number): Promise<boolean>
  /** True when it was alive. */
  revoke(grantId: string): Promise<boolean>
}

export function createGrants(store: Store, seal: Seal): Grants {
  const records = createSealedStore<Grant>(store, seal, 'as grant')
  return {
    async start(grant, expiresAt) {
      const grantId = randomBytes(16).toString('base64url')
      await records.add(grantId, grant, expiresAt)
      return grantId
    },
    find: async (grantId) => (await records.get(grantId))?.value,
    extend: (grantId, expiresAt) => records.extend(grantId, expiresAt),
    revoke: (grantId) => records.delete(grantId),
  }
}
