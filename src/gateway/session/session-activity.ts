import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'
import type { Session, SessionRecord } from './session-record.js'

/** What the list of a user's sessions shows. Opens with the user's `sub`, so that one session can list the others. */
export interface SessionActivity {
  /** Seconds since the epoch, as `lastSeen`. */
  readonly createdAt: number
  readonly lastSeen: number
  /** Masked. */
  readonly address: string
  readonly userAgent: string
}

export type ClientInfo = Pick<SessionActivity, 'address' | 'userAgent'>

/** When sessions were last used, and from where. Sessions without a subject leave nothing here. */
export interface SessionActivities {
  seen(session: Session, client: () => ClientInfo): Promise<void>
  find(key: string, subject: string): Promise<SessionActivity | undefined>
  forget(key: string, record: SessionRecord): Promise<void>
}

export function createSessionActivities(
  store: Store,
  seal: Seal,
  frontend: string,
  now: () => number,
): SessionActivities {
  const activities = createSealedStore<SessionActivity>(store, seal, `sighting ${frontend}`)
  const secretOf = (key: string, subject: string): string => JSON.stringify([key, subject])

  return {
    async seen({ key, record: { subject, createdAt }, endsAt }, client) {
      if (subject === undefined) return
      const activity = { createdAt, lastSeen: Math.floor(now()), ...client() }
      await activities.add(secretOf(key, subject), activity, endsAt)
    },
    find: async (key, subject) => (await activities.get(secretOf(key, subject)))?.value,
    async forget(key, { subject }) {
      if (subject !== undefined) await activities.delete(secretOf(key, subject))
    },
  }
}
