import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'

/** What a user is asked to allow a client: scopes, and the APIs they can be used at. */
export interface Consent {
  readonly scopes: readonly string[]
  readonly resources: readonly string[]
}

/** What users have allowed clients before, so that they are asked once. */
export interface Consents {
  covers(subject: string, clientId: string, asked: Consent): Promise<boolean>
  remember(subject: string, clientId: string, allowed: Consent): Promise<void>
}

export interface ConsentsOptions {
  readonly store: Store
  readonly seal: Seal
  /** Seconds. */
  readonly lifetime: number
  readonly now: () => number
}

const none: Consent = { scopes: [], resources: [] }

export function createConsents({ store, seal, lifetime, now }: ConsentsOptions): Consents {
  const records = createSealedStore<Consent>(store, seal, 'as consent to scopes and resources')
  const who = (subject: string, clientId: string): string => JSON.stringify([subject, clientId])
  return {
    async covers(subject, clientId, asked) {
      const allowed = (await records.get(who(subject, clientId)))?.value ?? none
      return (
        asked.scopes.every((scope) => allowed.scopes.includes(scope)) &&
        asked.resources.every((resource) => allowed.resources.includes(resource))
      )
    },
    async remember(subject, clientId, { scopes, resources }) {
      const [secret, until] = [who(subject, clientId), now() + lifetime]
      for (let tries = 0; tries < 3; tries++) {
        const record = await records.get(secret)
        const before = record?.value ?? none
        const all = {
          scopes: [...new Set([...before.scopes, ...scopes])],
          resources: [...new Set([...before.resources, ...resources])],
        }
        // Of answers at the same moment each adds to the other.
        if (
          record === undefined
            ? await records.addIfAbsent(secret, all, until)
            : await records.replace(secret, record.revision, all, until)
        )
          return
      }
      // One that does not open any more is no consent.
      await records.add(secret, { scopes, resources }, until)
    },
  }
}
