import { type BoundedCache, createBoundedCache } from '../../store/bounded-cache.js'
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

/** 10,000 for five minutes, of all frontends together: a bound for each would cost 400 KB before the first login. */
export function createOpenedSessions(): OpenedSessions {
  return createBoundedCache(10_000, 300_000)
}
