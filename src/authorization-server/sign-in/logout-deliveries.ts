import { randomBytes, randomUUID } from 'node:crypto'
import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'

/** What one client has yet to hear. */
export interface LogoutDelivery {
  /** Of the logout. */
  readonly requestId: string
  readonly clientId: string
  readonly subject: string
  readonly sid: string
  /** Tries so far. */
  readonly attempts: number
  /** Seconds since the epoch. */
  readonly dueAt: number
}

/** A delivery that this process alone may try now. */
export interface ClaimedDelivery {
  readonly delivery: LogoutDelivery
  /** Nothing is left to try. */
  finish(): Promise<void>
  postpone(dueAt: number): Promise<void>
  /** Lets others have it as it is. */
  release(): Promise<void>
}

/** Deliveries that outlive the process that took them on, and are tried by one process at a time. */
export interface LogoutDeliveries {
  add(delivery: LogoutDelivery): Promise<string>
  ids(): Promise<readonly string[]>
  find(id: string): Promise<LogoutDelivery | undefined>
  /** Undefined while another process has it, and when it is done. */
  claim(id: string): Promise<ClaimedDelivery | undefined>
}

/** Seconds: longer than a server is away for a restart or a night. */
const kept = 86_400
const set = 'as logout deliveries'

/**
 * The set names the records by their secret: they open with the server's key alone, since they have no bearer.
 * @param longestTry seconds, after which the claim of a process that died is void
 */
export function createLogoutDeliveries(
  store: Store,
  seal: Seal,
  longestTry: number,
  now: () => number,
): LogoutDeliveries {
  const records = createSealedStore<LogoutDelivery>(store, seal, 'as logout delivery')

  return {
    async add(delivery) {
      const id = randomBytes(16).toString('base64url')
      const until = now() + kept
      await records.add(id, delivery, until)
      await store.addMember(set, id, until)
      return id
    },
    ids: () => store.members(set),
    find: async (id) => (await records.get(id))?.value,
    async claim(id) {
      const [mark, owner] = [`as logout claim:${id}`, randomUUID()]
      if (!(await store.addIfAbsent(mark, owner, { lasts: longestTry }))) return undefined
      const release = async () => void (await store.deleteIf(mark, owner))
      const record = await records.get(id)
      if (record === undefined) {
        await release()
        return undefined
      }
      const { value: delivery, revision } = record
      return {
        delivery,
        release,
        async finish() {
          await records.delete(id)
          await store.removeMember(set, id)
          await release()
        },
        async postpone(dueAt) {
          const next = { ...delivery, attempts: delivery.attempts + 1, dueAt }
          await records.replace(id, revision, next, { atLeast: dueAt })
          await release()
        },
      }
    },
  }
}
