import type { Jwk } from '../../jose/jwk.js'
import type { Seal } from '../../store/seal.js'
import { besideSeal } from '../../store/sealed-store.js'
import type { SessionRecord, SessionServer } from './session-record.js'

/** What it takes to revoke a session's refresh token. */
export interface Revocable {
  readonly refreshToken: string
  /** A server may want a proof of it, as Keycloak does. */
  readonly proofKey?: Jwk
  /** As the record has it. */
  readonly server?: SessionServer
}

/**
 * A second envelope in the record of a session. It opens with the server's key alone, for ends that come without the
 * browser's cookie. One text holds both seals: none is ever newer than the other, and they end together.
 */
export interface RevocableEnvelopes {
  /** Undefined for a session without a refresh token. @param key where the session rests: the envelope opens nowhere else */
  seal(record: SessionRecord, key: string): string | undefined
  /**
   * Undefined where the record has no envelope. `unreadable`: it is another session's, or its key has left the ring.
   * @param text of the record, as the store has held it
   */
  unseal(text: string, key: string): Revocable | 'unreadable' | undefined
}

export function createRevocableEnvelopes(seal: Seal): RevocableEnvelopes {
  const context = (key: string): string => `revocation of ${key}`
  return {
    seal({ refreshToken, proofKey, server }, key) {
      if (refreshToken === undefined) return undefined
      const revocable: Revocable = {
        refreshToken,
        ...(proofKey !== undefined && { proofKey }),
        ...(server !== undefined && { server }),
      }
      return seal.seal(JSON.stringify(revocable), '', context(key))
    },
    unseal(text, key) {
      const envelope = besideSeal(text)
      if (envelope === undefined) return undefined
      const plaintext = seal.unseal(envelope, '', context(key))
      return plaintext === undefined ? 'unreadable' : (JSON.parse(plaintext) as Revocable)
    },
  }
}
