import type { Store } from '../../store/store.js'
import { createInFlight } from '../forwarding/in-flight.js'
import type { Session } from './session-record.js'

/**
 * Tells open streams and sockets that their session has ended: at once when it ends here or where the store has signals, else at
 * the next look. The same when its user may not in any more.
 */
export interface SessionWatch {
  /** What is still open a moment after the session's end is cut. @param guard where there are rules */
  hold(session: Session, connection: Connection, guard?: Guard): Held
  /** The session has ended in this process: its streams end here, and the other processes are told. */
  ended(key: string): void
  close(): void
}

/** Whether what is open may stay so. */
export interface Guard {
  /** The session as it is now; undefined when it has ended. @throws when it cannot be known, and has not been for too long */
  current(): Promise<Session | undefined>
  /** @throws when the user may not in */
  mayIn(session: Session): void
}

/** Why something that was open has to leave. */
export type Parting = 'session ended' | 'access lost'

export interface Held {
  /**
   * Aborts when the session ends or access is lost; its reason is a `Parting`. Made when it is first asked for: most calls are over before. Not a getter, for V8 makes a
   * hidden class of its own for every literal that has one, and everything on the way of a call lives on with it.
   */
  signal(): AbortSignal
}

/** A response or a socket. */
export interface Connection {
  readonly destroyed: boolean
  destroy(): unknown
  on(event: 'close', listener: () => void): unknown
}

interface Watched extends Held {
  readonly key: string
  readonly endsAt: number
  readonly since: number
  readonly guard: Guard | undefined
  end(why: Parting): void
}

/** Seconds between two looks at the store: half of what a dead session's stream may still live. */
const interval = 2
/** Seconds for a polite end: a last event, a WebSocket's close frame. */
const politeness = 0.5

const topic = 'session ended'

/** The store is asked only about what has been open for longer than `interval`: short calls cost nothing. */
export function createSessionWatch(store: Pick<Store, 'get' | 'signals'>, now: () => number): SessionWatch {
  const watched = createInFlight<Watched>()
  /** Sessions of which an answer is awaited: a slow authorization server is not asked twice. */
  const reviewed = new Set<string>()

  const ended = (key: string, isOver: (entry: Watched) => boolean = () => true): void => {
    for (const entry of watched.all()) if (entry.key === key && isOver(entry)) entry.end('session ended')
  }
  const look = async (key: string): Promise<void> => {
    try {
      if ((await store.get(key)) === undefined) ended(key)
      else await review(key)
    } catch {
      // "Cannot know" is not "has ended": while the store does not answer, only what was to end by now is cut off.
      ended(key, ({ endsAt }) => endsAt <= now())
    }
  }
  /** One look at the session for all that it has open. */
  const review = async (key: string): Promise<void> => {
    const guarded = watched.all().flatMap(({ key: of, guard, end }) => (of === key && guard ? [{ guard, end }] : []))
    const [first] = guarded
    if (first === undefined || reviewed.has(key)) return
    reviewed.add(key)
    const session = await first.guard.current().catch(() => 'unknown' as const)
    reviewed.delete(key)
    // An end is told by who has ended it, or at the next look.
    if (session === undefined) return
    for (const { guard, end } of guarded) if (session === 'unknown' || !lets(guard, session)) end('access lost')
  }
  const timer = setInterval(() => {
    const longOpen = watched.all().filter(({ since }) => since <= now() - interval)
    for (const key of new Set(longOpen.map(({ key }) => key))) void look(key)
  }, interval * 1000).unref()

  // A message is a reason to look, not a proof: it ends nothing by itself.
  const stopListening = store.signals?.listen(topic, (key) => {
    if (watched.all().some((entry) => entry.key === key)) void look(key)
  })

  return {
    hold(session, connection, guard) {
      const entry = watchOf(session, connection, now(), guard)
      // One that has closed while its session was looked up does not say so again.
      if (!connection.destroyed) connection.on('close', watched.enter(entry))
      return entry
    },
    ended(key) {
      ended(key)
      // Where it cannot be said the others find out by looking.
      void store.signals?.send(topic, key).catch(() => undefined)
    },
    close() {
      clearInterval(timer)
      stopListening?.()
    },
  }
}

function lets(guard: Guard, session: Session): boolean {
  try {
    guard.mayIn(session)
    return true
  } catch {
    return false
  }
}

function watchOf({ key, endsAt }: Session, connection: Connection, since: number, guard: Guard | undefined): Watched {
  let controller: AbortController | undefined
  return {
    key,
    endsAt,
    since,
    guard,
    signal() {
      controller ??= new AbortController()
      return controller.signal
    },
    end(why) {
      controller?.abort(why)
      setTimeout(() => connection.destroy(), politeness * 1000)
    },
  }
}
