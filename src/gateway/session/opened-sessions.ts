import { type BoundedCache, createAgingCache } from '../../store/bounded-cache.js'
import type { SealedRecord } from '../../store/sealed-store.js'
import type { Session, SessionRecord } from './session-record.js'

/** A session that this process has opened, and the text it was opened from. */
export interface OpenedSession {
  readonly session: Session
  readonly sealed: SealedRecord<SessionRecord>
  /** When this process last wrote the idle time. */
  touchedAt: number
}

/** By the session's key, which names its frontend too. */
export type OpenedSessions = BoundedCache<OpenedSession>

/** Of all frontends together: a bound for each would cost 400 KB before the first login. */
const bounds = { max: 10_000, maxBytes: 96 * 1024 * 1024, ttlMs: 300_000 }

/** Objects, and the key that OpenSSL has parsed. Measured with Node 20. */
const besideTexts = 4000

/** Five minutes at most: that long a user who makes calls is served without opening the session anew for each. */
export function createOpenedSessions(): OpenedSessions {
  return createAgingCache({
    ...bounds,
    // The text it was opened from, and what that says.
    bytesOf: ({ sealed }: OpenedSession) => besideTexts + 2 * sealed.revision.length,
  })
}
