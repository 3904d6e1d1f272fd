import { type BoundedCache, createAgingCache, createBoundedCache } from '../../store/bounded-cache.js'
import type { SealedRecord } from '../../store/sealed-store.js'
import type { Session, SessionRecord } from './session-record.js'

/** A session that this process has opened, and the text it was opened from. */
export interface OpenedSession {
  readonly session: Session
  readonly sealed: SealedRecord<SessionRecord>
}

/** By the session's key, which names its frontend too. */
export interface OpenedSessions extends BoundedCache<OpenedSession> {
  /** When this process last wrote the idle time; 0 where a session was opened and that was not done. */
  readonly touches: BoundedCache<number>
}

/** Of all frontends together: a bound for each would cost 400 KB before the first login. */
const bounds = { max: 10_000, maxBytes: 96 * 1024 * 1024, ttlMs: 300_000 }

/** Objects, and the key that OpenSSL has parsed. Measured with Node 20. */
const besideTexts = 4000

/**
 * Five minutes at most: that long a user who makes calls is served without opening the session anew for each. Kept from its
 * second use on: what is kept and not used again is garbage that V8 collects late, and with it keys of whose size it knows nothing.
 */
export function createOpenedSessions(): OpenedSessions {
  const touches = createBoundedCache<number>(bounds.max, bounds.ttlMs)
  const { set, ...kept } = createAgingCache({
    ...bounds,
    // The text it was opened from, and what that says.
    bytesOf: ({ sealed }: OpenedSession) => besideTexts + 2 * sealed.revision.length,
  })
  return {
    ...kept,
    set(key, opened) {
      if (touches.get(key) === undefined) touches.set(key, 0)
      else set(key, opened)
    },
    delete(key) {
      kept.delete(key)
      touches.delete(key)
    },
    touches,
  }
}
