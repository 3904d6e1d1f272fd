import { setMaxListeners } from 'node:events'
import type { Store } from '../store/store.js'
import type { Session } from './sealed-sessions.js'

/** Tells open streams and sockets that their session has ended: at once when it ends here, soon when it ends elsewhere. */
export interface SessionWatch {
  /** What is still open a moment after the session's end is cut. */
  hold(session: Session, connection: Connection): Held
  /** The session has ended in this process. */
  ended(key: string): void
  close(): void
}

export interface Held {
  /** Aborts when the session ends. Made when somebody asks for it: most calls are over before. */
  readonly signal: AbortSignal
}

/** A response or a socket. */
export interface Connection {
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

interface Watched extends Held {
  abort(): void
  readonly since: number
  readonly connections: Set<Connection>
  session: Session
}

/** Seconds between two looks at the store: half of what a dead session's stream may still live. */
const interval = 2
/** Seconds for a polite end: a last event, a WebSocket's close frame. */
const politeness = 0.5

/** The store is asked only about what has been open for longer than `interval`: short calls cost nothing. */
export function createSessionWatch(store: Pick<Store, 'get'>, now: () => number): SessionWatch {
  const watched = new Map<string, Watched>()

  const end = (entry: Watched): void => {
    watched.delete(entry.session.key)
    entry.abort()
    setTimeout(() => {
      for (const connection of entry.connections) connection.destroy()
    }, politeness * 1000)
  }
  const look = async (entry: Watched): Promise<void> => {
    const { key, endsAt } = entry.session
    // While the store cannot answer nobody is cut off: "cannot know" is not "has ended".
    const isThere = async () => (await store.get(key)) !== undefined
    if (endsAt <= now() || !(await isThere().catch(() => true))) end(entry)
  }
  const timer = setInterval(() => {
    for (const entry of watched.values()) if (entry.since <= now() - interval) void look(entry)
  }, interval * 1000).unref()

  return {
    hold(session, connection) {
      const entry = watched.get(session.key) ?? aWatch(session, now())
      watched.set(session.key, entry)
      // A refresh has made a new record of the same session, perhaps with another end.
      entry.session = session
      entry.connections.add(connection)
      connection.once('close', () => {
        entry.connections.delete(connection)
        if (entry.connections.size === 0 && watched.get(session.key) === entry) watched.delete(session.key)
      })
      return entry
    },
    ended(key) {
      const entry = watched.get(key)
      if (entry !== undefined) end(entry)
    },
    close() {
      clearInterval(timer)
    },
  }
}

function aWatch(session: Session, since: number): Watched {
  let controller: AbortController | undefined
  return {
    get signal() {
      controller ??= new AbortController()
      // One listener for each open stream is no leak.
      setMaxListeners(0, controller.signal)
      return controller.signal
    },
    abort: () => controller?.abort(),
    since,
    session,
    connections: new Set(),
  }
}
