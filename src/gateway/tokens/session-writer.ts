import { setTimeout as delay } from 'node:timers/promises'
import { isStoreUnavailable } from '../../errors.js'
import type { OpenSession, SessionRecord } from '../session/session-record.js'
import type { SessionStore } from '../session/session-store.js'

/** What has come of writing a session's new tokens. */
export type Written =
  | { readonly kind: 'saved'; readonly open: OpenSession }
  /** The session has changed or ended in between: nothing was written. */
  | { readonly kind: 'overtaken' }
  /** The store is away. The session goes on from memory. */
  | {
      readonly kind: 'unsaved'
      readonly open: OpenSession
      readonly landed: Promise<'saved' | 'overtaken' | 'given up'>
    }

/** Writes what must not be lost: a refresh token that the server has put in place of the former one. */
export interface SessionWriter {
  write(open: OpenSession, record: SessionRecord): Promise<Written>
  /** The session with what could not be written yet. */
  unsaved(open: OpenSession): OpenSession | undefined
  /** Resolves when everything is written. */
  settled(): Promise<void>
  /** No more tries. */
  close(): void
}

export interface SessionWriterOptions {
  readonly sessions: Pick<SessionStore, 'replace'>
  readonly now: () => number
}

/** Seconds between two tries. Another replica that finds this refresh unfinished waits for longer than that. */
const interval = 0.25

export function createSessionWriter({ sessions, now }: SessionWriterOptions): SessionWriter {
  const kept = new Map<string, { readonly revision: string; readonly open: OpenSession }>()
  const underway = new Set<Promise<unknown>>()
  const closing = new AbortController()

  /** Undefined: the store does not answer. */
  const once = async ({ id, session }: OpenSession, record: SessionRecord) => {
    try {
      const replaced = await sessions.replace(id, session, record)
      if (replaced === undefined) return { kind: 'overtaken' } as const
      return { kind: 'saved', open: { id, session: replaced } } as const
    } catch (error) {
      if (isStoreUnavailable(error)) return undefined
      throw error
    }
  }
  const persistently = async (open: OpenSession, record: SessionRecord) => {
    while (!closing.signal.aborted && now() < open.session.endsAt) {
      await delay(interval * 1000, undefined, { signal: closing.signal, ref: false }).catch(() => undefined)
      const written = await once(open, record)
      if (written !== undefined) return written.kind
    }
    return 'given up'
  }

  return {
    async write(open, record) {
      const { session } = open
      const written = (await once(open, record)) ?? (await once(open, record))
      if (written !== undefined) return written
      const unsaved = { id: open.id, session: { ...session, record } }
      kept.set(session.key, { revision: session.revision, open: unsaved })
      const landed = persistently(open, record).finally(() => {
        kept.delete(session.key)
        underway.delete(landed)
      })
      underway.add(landed)
      return { kind: 'unsaved', open: unsaved, landed }
    },
    unsaved({ session: { key, revision } }) {
      const entry = kept.get(key)
      return entry?.revision === revision ? entry.open : undefined
    },
    async settled() {
      await Promise.allSettled(underway)
    },
    close: () => closing.abort(),
  }
}
