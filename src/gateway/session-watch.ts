import type { Store } from '../store/store.js'
import type { Session } from './sealed-sessions.js'

/** Tells open streams and sockets that their session has ended: at once when it ends here, soon when it ends elsewhere. */
export interface SessionWatch {
  hold(session: Session): Held
  /** The session has ended in this process. */
  ended(key: string): void
  close(): void
}

export interface Held {
  /** Aborts when the session ends. */
  readonly signal: AbortSignal
  /** The stream or socket is over. */
  release(): void
}

interface Watched {
  readonly controller: AbortController
  readonly since: number
  session: Session
  holders: number
}

/** Seconds between two looks at the store: half of what a dead session's stream may still live. */
const interval = 2

/** The store is asked only about what has been open for longer than `interval`: short calls cost nothing. */
export function createSessionWatch(store: Pick<Store, 'get'>, now: () => number): SessionWatch {
  const watched = new Map<string, Watched>()

  const look = async (entry: Watched): Promise<void> => {
    const { key, endsAt } = entry.session
    // While the store cannot answer nobody is cut off: "cannot know" is not "has ended".
    const isThere = async () => (await store.get(key)) !== undefined
    if (endsAt > now() && (await isThere().catch(() => true))) return
    watched.delete(key)
    entry.controller.abort()
  }
  const timer = setInterval(() => {
    for (const entry of watched.values()) if (entry.since <= now() - interval) void look(entry)
  }, interval * 1000).unref()

  return {
    hold(session) {
      const entry = watched.get(session.key) ?? { controller: new AbortController(), since: now(), session, holders: 0 }
      watched.set(session.key, entry)
      entry.holders += 1
      // A refresh has made a new record of the same session, perhaps with another end.
      entry.session = session
      return {
        signal: entry.controller.signal,
        release() {
          entry.holders -= 1
          if (entry.holders === 0 && watched.get(session.key) === entry) watched.delete(session.key)
        },
      }
    },
    ended(key) {
      const entry = watched.get(key)
      watched.delete(key)
      entry?.controller.abort()
    },
    close() {
      clearInterval(timer)
    },
  }
}
