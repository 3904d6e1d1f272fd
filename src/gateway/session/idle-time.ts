import { isStoreUnavailable } from '../../errors.js'
import type { SealedStore } from '../../store/sealed-store.js'
import type { SessionLifetimes } from '../options.js'
import type { OpenedSessions } from './opened-sessions.js'
import type { ClientInfo, SessionActivities } from './session-activity.js'
import type { Session, SessionRecord } from './session-record.js'

/** `extended`: the idle time has begun anew, and the browser's cookie should live as long. */
export type Extension = 'extended' | 'alive' | 'gone'

export interface IdleTimeOptions {
  readonly records: Pick<SealedStore<SessionRecord>, 'extend'>
  readonly activities: SessionActivities
  readonly opened: OpenedSessions
  readonly lifetimes: SessionLifetimes
  /** When a session that ends then, and is used now, leaves the store. Seconds since the epoch. */
  readonly restsUntil: (end: number) => number
  readonly now: () => number
}

/** Knows when each session was last used, and starts its idle time anew at each use. The store ends a session whose idle time is over. */
export interface IdleTime {
  /** Seconds within which a session that is used again need not be written again. */
  readonly interval: number
  /** Starts the idle time anew. */
  restart(id: string, session: Session, client: () => ClientInfo): Promise<Extension>
  /** Seconds since the epoch, to within a minute. Of a session without a subject only what this process knows. */
  lastUse(session: Session): Promise<number>
}

/** Seconds until it is tried again to write what could not be written. */
const retryInterval = 5

export function createIdleTime({ records, activities, opened, lifetimes, restsUntil, now }: IdleTimeOptions): IdleTime {
  const interval = Math.min(60, lifetimes.idle / 10)

  const touch = async (id: string, session: Session, client: () => ClientInfo): Promise<Extension> => {
    if (lifetimes.sliding && !(await records.extend(id, restsUntil(session.endsAt)))) {
      opened.delete(session.key)
      return 'gone'
    }
    opened.touches.set(session.key, now())
    await activities.seen(session, client)
    return lifetimes.sliding ? 'extended' : 'alive'
  }

  /**
   * The store has just given us the session, and cannot write it (its disk is full, or it is a copy that only reads): the
   * call is served, and the session ends when the idle time that was written last is over.
   */
  const servedAllTheSame = ({ key }: Session, error: unknown): Extension => {
    if (!isStoreUnavailable(error)) throw error
    opened.touches.set(key, now() - Math.max(0, interval - retryInterval))
    return 'alive'
  }

  return {
    interval,
    restart: (id, session, client) =>
      touch(id, session, client).catch((error: unknown) => servedAllTheSame(session, error)),
    async lastUse({ key, record: { subject, createdAt } }) {
      const touchedAt = opened.touches.get(key) ?? 0
      const isRecent = now() - touchedAt < interval
      const seen = isRecent || subject === undefined ? 0 : ((await activities.find(key, subject))?.lastSeen ?? 0)
      return Math.max(touchedAt, seen, createdAt)
    },
  }
}
