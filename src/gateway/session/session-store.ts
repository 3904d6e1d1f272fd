import { createProver, type Prover } from '../../dpop/prover.js'
import type { Seal } from '../../store/seal.js'
import { createSealedStore, type SealedRecord } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import type { SessionEndCause } from '../../telemetry/gateway-events.js'
import { frontendDefaults } from '../defaults.js'
import type { Frontend } from '../frontend/frontend.js'
import { createIdTokenAlgorithms } from './id-token-algorithms.js'
import { createIdleTime, type Extension } from './idle-time.js'
import type { OpenedSessions } from './opened-sessions.js'
import { createRevocableEnvelopes, type Revocable } from './revocable.js'
import { type ClientInfo, createSessionActivities, type SessionActivity } from './session-activity.js'
import { sessionClients } from './session-clients.js'
import { createSessionHandles, type SessionHandles } from './session-handle.js'
import { createSessionIndex, type SessionName } from './session-index.js'
import { endsAt } from './session-lifetime.js'
import { isSameClient, type ServerClient, type Session, type SessionRecord } from './session-record.js'
import { createSessionRoll, type SessionRoll } from './session-roll.js'

export interface SessionStore extends SessionHandles {
  /** @param id The cookie's value. */
  open(id: string): Promise<Session | undefined>
  start(id: string, record: SessionRecord): Promise<Session>
  /** Undefined when the session has changed or ended meanwhile: then nothing was written. */
  replace(id: string, session: Session, record: SessionRecord): Promise<Session | undefined>
  /** Starts the idle time anew, at most once in a while. */
  keepAlive(id: string, session: Session, client: () => ClientInfo): Promise<Extension> | Extension
  /** When the session ends if no other request comes. */
  idleEnd(session: Session): Promise<number>
  /** Seconds for which a browser should keep the cookie of a session that was just used. */
  keptFor(session: Session): number
  /** @param requestId What it ends with, where it is a request. */
  end(session: Pick<Session, 'key'>, cause: SessionEndCause, requestId?: string): Promise<boolean>
  /** Ends the session only if it has not been changed since. */
  endUnchanged(session: Session, cause: SessionEndCause): Promise<boolean>
  /** What the ID tokens of a client's sessions are signed with. */
  idTokenAlgorithms(client: ServerClient): Promise<readonly string[]>
  /** The keys of a user's or of a server session's living sessions, without opening any. */
  keysOf(name: SessionName): Promise<readonly string[]>
  /** The same, this frontend's only. */
  ownKeysOf(name: SessionName): Promise<readonly string[]>
  /** Whether there is a session, without opening it. */
  isAlive(key: string): Promise<boolean>
  /** All of this frontend's. */
  readonly roll: Pick<SessionRoll, 'part' | 'ownerOf' | 'leave'>
  /** When and from where a session of this user was last used. */
  activityOf(key: string, subject: string): Promise<SessionActivity | undefined>
}

export interface EndedSession {
  readonly key: string
  readonly handle: string
  /** Undefined where this process had not opened it. */
  readonly subject: string | undefined
  readonly cause: SessionEndCause
  /** False where there was none to end any more. */
  readonly wasThere: boolean
  /** What is to be revoked; `unreadable`: there is something, and no key for it. */
  readonly left: Revocable | 'unreadable' | undefined
}

/** Ends at which the browser's cookie is missing. All others revoke by themselves, or have nothing to revoke. */
const fromOutside: ReadonlySet<SessionEndCause> = new Set([
  'backchannel-logout',
  'frontchannel-logout',
  'revoked',
  'administrator',
  'displaced',
])

export interface SessionStoreOptions {
  readonly store: Store
  readonly seal: Seal
  readonly frontend: Frontend
  readonly opened: OpenedSessions
  /** Whether the server's key alone tells whose a session is. Default: no. */
  readonly keepsOwners?: boolean
  readonly now: () => number
  /** Told of every session that ends here. */
  readonly onEnd?: (ended: EndedSession) => void
}

/**
 * The sessions of one frontend. Every write after login compares with what was read, so a dead session stays dead; every
 * read checks the limits. Opened sessions are kept for a while, and used only while the store still holds the very text
 * they were opened from: another replica's logout or refresh counts at once.
 */
export function createSessionStore({
  store,
  seal,
  frontend,
  opened,
  keepsOwners = false,
  now,
  onEnd,
}: SessionStoreOptions): SessionStore {
  const { name, options } = frontend
  const { session: lifetimes } = options
  const { revokeEndedSessions = frontendDefaults.revokeEndedSessions } = options
  const envelopes = revokeEndedSessions ? createRevocableEnvelopes(seal) : undefined
  const records = createSealedStore<SessionRecord>(store, seal, `session ${name}`, envelopes?.seal)
  const activities = createSessionActivities(store, seal, name, now)
  const clients = sessionClients(options)
  const index = createSessionIndex(store, seal, clients)
  const roll = createSessionRoll({ store, seal, name, lifetimes, keepsOwners })
  const algorithms = createIdTokenAlgorithms(store, clients)
  const { handleOf, hasHandle } = createSessionHandles(seal)
  const restsUntil = (end: number): number => Math.min(end, now() + lifetimes.idle)
  const idleTime = createIdleTime({ records, activities, opened, lifetimes, restsUntil, now })

  const sessionOf = (
    key: string,
    { value: record, revision }: SealedRecord<SessionRecord>,
    prover: Prover | undefined = record.proofKey && createProver(record.proofKey),
  ): Session => ({ handle: handleOf(key), key, record, revision, prover, endsAt: endsAt(record, lifetimes) })

  const isServed = (record: SessionRecord): boolean =>
    isSameClient(record.server, clients.all[0]) || clients.of(record) !== undefined

  const forget = async (key: string, record: SessionRecord): Promise<void> => {
    await index.leave(key, record)
    await activities.forget(key, record)
  }
  const end = async (
    key: string,
    cause: SessionEndCause,
    wasThere: boolean,
    { left, requestId }: { readonly left?: EndedSession['left']; readonly requestId?: string | undefined } = {},
  ): Promise<boolean> => {
    const known = opened.get(key)
    const subject = known?.session.record.subject
    opened.delete(key)
    onEnd?.({ key, handle: handleOf(key), subject, cause, wasThere, left })
    // Tidiness only: an index leaves out what is not alive, and all of it expires.
    await Promise.all([roll.leave(key), known && forget(key, known.session.record)]).catch(() => undefined)
    if (wasThere)
      publish({
        type: 'gateway.session.ended',
        frontend: name,
        session: handleOf(key),
        cause,
        ...(subject !== undefined && { subject }),
        ...(requestId !== undefined && { requestId }),
      })
    return wasThere
  }

  return {
    async open(id) {
      const key = records.keyOf(id)
      const known = opened.get(key)
      const sealed = await records.getAgain(key, id, known?.sealed)
      if (sealed === undefined) {
        opened.delete(key)
        return undefined
      }
      const isKnown = known !== undefined && sealed === known.sealed
      // The key of a session never changes: what the prover has learnt about nonces stays.
      const session = isKnown ? known.session : sessionOf(key, sealed, known?.session.prover)
      const cause = session.endsAt <= now() ? 'expired' : isServed(session.record) ? undefined : 'authority-removed'
      if (cause === undefined) {
        if (!isKnown) opened.set(key, { session, sealed })
        return session
      }
      await end(key, cause, await store.delete(key))
      return undefined
    },

    async start(id, record) {
      const key = records.keyOf(id)
      const until = endsAt(record, lifetimes)
      // In this order: an index entry without its session is cleared away.
      if (until <= now()) throw new RangeError('a session cannot begin after its end')
      const sealed = await records.add(id, record, restsUntil(until))
      await Promise.all([index.enter(key, record, until), roll.enter(key, record)])
      await algorithms.learn(record, until)
      const session = sessionOf(key, sealed)
      opened.set(key, { session, sealed })
      return session
    },

    async replace(id, session, record) {
      const until = endsAt(record, lifetimes)
      // No use of the session: what has used it has moved the expiry already, here or in another replica.
      const atLeast = lifetimes.sliding ? Math.min(until, (await idleTime.lastUse(session)) + lifetimes.idle) : until
      const sealed = await records.replace(id, session.revision, record, { atLeast })
      if (sealed === undefined) return undefined
      await index.enter(session.key, record, until)
      if (record.idToken !== session.record.idToken) await algorithms.learn(record, until)
      const replaced = sessionOf(session.key, sealed, session.prover)
      opened.set(session.key, { session: replaced, sealed })
      return replaced
    },

    keepAlive(id, session, client) {
      const touchedAt = opened.touches.get(session.key) ?? 0
      return now() - touchedAt < idleTime.interval ? 'alive' : idleTime.restart(id, session, client)
    },

    idleEnd: async (session) =>
      lifetimes.sliding ? Math.min(session.endsAt, (await idleTime.lastUse(session)) + lifetimes.idle) : session.endsAt,

    keptFor: ({ endsAt: end }) => restsUntil(end) - now(),

    async end({ key }, cause, requestId) {
      if (envelopes === undefined || !fromOutside.has(cause))
        return end(key, cause, await store.delete(key), { requestId })
      // One step: of several that end a session one gets what is to be revoked, and it is that of the last refresh.
      const text = await store.take(key)
      const left = text === undefined ? undefined : envelopes.unseal(text, key)
      return end(key, cause, text !== undefined, { left, requestId })
    },
    endUnchanged: async ({ key, revision }, cause) => end(key, cause, await store.deleteIf(key, revision)),

    idTokenAlgorithms: algorithms.known,
    keysOf: index.keysOf,
    ownKeysOf: async (of) => (await index.keysOf(of)).filter((key) => key.startsWith(`session ${name}:`)),
    isAlive: async (key) => (await store.get(key)) !== undefined,
    roll,
    activityOf: activities.find,
    handleOf,
    hasHandle,
  }
}
