import { hash } from 'node:crypto'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { spellingsOf } from '../../jose/algorithm.js'
import type { Store } from '../../store/store.js'
import type { SessionClients } from './session-clients.js'
import type { ServerClient, SessionRecord } from './session-record.js'

/**
 * What the authorization server signs this client's ID tokens with: its logout tokens have to be signed with the same
 * (OpenID Connect Back-Channel Logout §2.6). Kept in the store as long as the sessions that taught it, for every replica.
 */
export interface IdTokenAlgorithms {
  learn(record: SessionRecord, until: number): Promise<void>
  /** Empty: no session of this client has an ID token. */
  known(client: ServerClient): Promise<readonly string[]>
}

export function createIdTokenAlgorithms(store: Store, clients: Pick<SessionClients, 'of'>): IdTokenAlgorithms {
  const setOf = ({ authority, clientId }: ServerClient): string =>
    `id-token-algorithms:${hash('sha256', JSON.stringify([authority, clientId]), 'base64url')}`
  return {
    async learn(record, until) {
      const client = clients.of(record)
      if (client === undefined) return
      for (const name of spellings(record.idToken)) await store.addMember(setOf(client), name, until)
    },
    known: (client) => store.members(setOf(client)),
  }
}

function spellings(idToken: string | undefined): readonly string[] {
  const alg = idToken === undefined ? undefined : decodeProtectedHeader(idToken).alg
  return alg === undefined ? [] : spellingsOf(alg)
}
