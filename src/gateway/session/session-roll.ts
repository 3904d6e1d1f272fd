import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'
import type { SessionLifetimes } from '../options.js'
import type { SessionRecord } from './session-record.js'

/** Whose a session is and since when: all that the server's key alone opens. */
export interface SessionOwner {
  /** Name of the authorization server that knows the subject, where there are several. */
  readonly authority?: string
  /** Its issuer identifier. Absent where the login did not say it, and for sessions of older versions. */
  readonly issuer?: string
  readonly subject?: string
  /** Seconds since the epoch. */
  readonly createdAt: number
}

/**
 * All sessions of one frontend. The store holds their keys, which it has anyway, in a few sets, so that no reader has to
 * take all of them at once; and, where sessions are administered, a small record of each one's owner.
 */
export interface SessionRoll {
  enter(key: string, record: SessionRecord): Promise<void>
  leave(key: string): Promise<void>
  /** Keys of one part, in a stable order. Some may have ended: sessions that nobody uses end without a word. */
  part(number: number): Promise<readonly string[]>
  /** Undefined where it was not kept, or under a key that is gone. */
  ownerOf(key: string): Promise<SessionOwner | undefined>
}

export interface SessionRollOptions {
  readonly store: Store
  readonly seal: Seal
  /** Of the frontend. */
  readonly name: string
  readonly lifetimes: Pick<SessionLifetimes, 'absolute'>
  readonly keepsOwners: boolean
}

export const partsOfRoll = 16

export function createSessionRoll({ store, seal, name, lifetimes, keepsOwners }: SessionRollOptions): SessionRoll {
  const prefix = `session ${name}:`
  const owners = createSealedStore<SessionOwner>(store, seal, `owner ${name}`)
  const setOf = (part: number): string => `roll ${name}:${part}`
  const setWith = (key: string): string => setOf(partOf(key.slice(prefix.length)))

  return {
    async enter(key, { subject, server, claims: { iss }, createdAt, sessionExpiry = Number.POSITIVE_INFINITY }) {
      // Written once: no refresh makes a session longer than this.
      const issuer = server?.authority ?? (typeof iss === 'string' ? iss : undefined)
      const until = Math.min(createdAt + lifetimes.absolute, sessionExpiry)
      await Promise.all([
        store.addMember(setWith(key), key.slice(prefix.length), until),
        keepsOwners &&
          owners.add(
            key,
            {
              ...(server?.name !== undefined && { authority: server.name }),
              ...(issuer !== undefined && { issuer }),
              ...(subject !== undefined && { subject }),
              createdAt,
            },
            until,
          ),
      ])
    },
    async leave(key) {
      await Promise.all([store.removeMember(setWith(key), key.slice(prefix.length)), keepsOwners && owners.delete(key)])
    },
    part: async (number) => [...(await store.members(setOf(number)))].sort().map((member) => prefix + member),
    ownerOf: async (key) => (await owners.get(key))?.value,
  }
}

/** By the first bits of the key's hash. */
function partOf(hash: string): number {
  return (Buffer.from(hash.slice(0, 2), 'base64url')[0] ?? 0) % partsOfRoll
}
