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

export function createConsents({ store, seal, lifetime, now }: ConsentsOptions): Consents {
  const records = createSealedStore<Consent>(store, seal, 'as consent to scopes and resources')
  const who = (subject: string, clientId: string): string => JSON.stringify([subject, clientId])
  const known = async (subject: string, clientId: string): Promise<Consent> =>
    (await records.get(who(subject, clientId)))?.value ?? { scopes: [], resources: [] }
  return {
    async covers(subject, clientId, asked) {
      const allowed = await known(subject, clientId)
      return (
        asked.scopes.every((scope) => allowed.scopes.includes(scope)) &&
        asked.resources.every((resource) => allowed.resources.includes(resource))
      )
    },
    async remember(subject, clientId, { scopes, resources }) {
      const before = await known(subject, clientId)
      const all = {
        scopes: [...new Set([...before.scopes, ...scopes])],
        resources: [...new Set([...before.resources, ...resources])],
      }
      await records.add(who(subject, clientId), all, now() + lifetime)
    },
  }
}
