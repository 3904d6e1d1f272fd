import type { Store } from '../../store/store.js'
import { createInFlight } from '../forwarding/in-flight.js'
import type { Session } from './session-record.js'

/** Tells open streams and sockets that their session has ended: at once when it ends here, soon when it ends elsewhere. */
export interface SessionWatch {
  /** What is still open a moment after the session's end is cut. */
  hold(session: Session, connection: Connection): Held
  /** The session has ended in this process. */
  ended(key: string): void
  close(): void
}

export interface Held {
  /**
   * Aborts when the session ends. Made when it is first asked for: most calls are over before. Not a getter, for V8 makes a
   * hidden class of its own for every literal that has one, and everything on the way of a call lives on with it.
   */
  signal(): AbortSignal
}

/** A response or a socket. */
export interface Connection {
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

interface Watched extends Held {
  readonly key: string
  readonly endsAt: number
  readonly since: number
  end(): void
}

/** Seconds between two looks at the store: half of what a dead session's stream may still live. */
const interval = 2
/** Seconds for a polite end: a last event, a WebSocket's close frame. */
const politeness = 0.5

/** The store is asked only about what has been open for longer than `interval`: short calls cost nothing. */
export function createSessionWatch(store: Pick<Store, 'get'>, now: () => number): SessionWatch {
  const watched = createInFlight<Watched>()

  const ended = (key: string, isOver: (entry: Watched) => boolean = () => true): void => {
    for (const entry of watched.all()) if (entry.key === key && isOver(entry)) entry.end()
  }
  const look = async (key: string): Promise<void> => {
    try {
      if ((await store.get(key)) === undefined) ended(key)
    } catch {
      // "Cannot know" is not "has ended": while the store does not answer, only what was to end by now is cut off.
      ended(key, ({ endsAt }) => endsAt <= now())
    }
  }
  const timer = setInterval(() => {
    const longOpen = watched.all().filter(({ since }) => since <= now() - interval)
    for (const key of new Set(longOpen.map(({ key }) => key))) void look(key)
  }, interval * 1000).unref()

  return {
    hold(session, connection) {
      const entry = watchOf(session, connection, now())
      connection.once('close', watched.enter(entry))
      return entry
    },
    ended: (key) => ended(key),
    close() {
      clearInterval(timer)
    },
  }
}

function watchOf({ key, endsAt }: Session, connection: Connection, since: number): Watched {
  let controller: AbortController | undefined
  return {
    key,
    endsAt,
    since,
    signal() {
      controller ??= new AbortController()
      return controller.signal
    },
    end() {
      controller?.abort()
      setTimeout(() => connection.destroy(), politeness * 1000)
    },
  }
}
