import type { Seal } from '../../store/seal.js'
import type { Store } from '../../store/store.js'
import type { SessionClients } from './session-clients.js'
import type { ServerClient, SessionRecord } from './session-record.js'

/** Whose sessions: a user's, or those of one session of the authorization server (OpenID Connect Back-Channel Logout §2.1). */
export type SessionName = ({ readonly subject: string } | { readonly sid: string }) & {
  /** Whose `sub` or `sid` it is. Default: that of any authorization server of the frontend. */
  readonly of?: ServerClient | undefined
}

/** Finds sessions by whom they belong to, without opening any. It rests under names that say nothing without our key. */
export interface SessionIndex {
  enter(key: string, record: SessionRecord, until: number): Promise<void>
  leave(key: string, record: SessionRecord): Promise<void>
  /** The keys of those that are alive. */
  keysOf(name: SessionName): Promise<readonly string[]>
}

export function createSessionIndex(store: Store, seal: Seal, clients: SessionClients): SessionIndex {
  /** One for each sealing key, the current one first. */
  const setsOf = (name: SessionName, { authority, clientId }: ServerClient): readonly [string, ...string[]] => {
    const [kind, value] = 'subject' in name ? ['sub', name.subject] : ['sid', name.sid]
    const [current, ...others] = seal.blindIndexes(JSON.stringify([kind, authority, clientId, value]))
    return [`sessions:${current}`, ...others.map((other) => `sessions:${other}`)]
  }
  const ownSetsOf = (record: SessionRecord): (readonly [string, ...string[]])[] => {
    const client = clients.of(record) ?? record.server
    return client === undefined ? [] : namesOf(record).map((name) => setsOf(name, client))
  }

  return {
    async enter(key, record, until) {
      for (const [current] of ownSetsOf(record)) await store.addMember(current, key, until)
    },

    async leave(key, record) {
      await Promise.all(ownSetsOf(record).flatMap((sets) => sets.map((set) => store.removeMember(set, key))))
    },

    async keysOf(name) {
      const alive = new Set<string>()
      const those = name.of === undefined ? clients.all : [name.of]
      for (const set of new Set(those.flatMap((client) => setsOf(name, client)))) {
        for (const key of await store.members(set)) {
          // Sessions end without their index being known: who looks it up clears it up.
          if ((await store.get(key)) === undefined) await store.removeMember(set, key)
          else alive.add(key)
        }
      }
      return [...alive]
    },
  }
}

function namesOf({ subject, sid }: SessionRecord): readonly SessionName[] {
  return [...(subject === undefined ? [] : [{ subject }]), ...(sid === undefined ? [] : [{ sid }])]
}
