import type { Seal } from '../store/seal.js'
import { createSealedStore } from '../store/sealed-store.js'
import type { Store } from '../store/store.js'

/** What users have allowed clients before, so that they are asked once. */
export interface Consents {
  covers(subject: string, clientId: string, scopes: readonly string[]): Promise<boolean>
  remember(subject: string, clientId: string, scopes: readonly string[]): Promise<void>
}

export interface ConsentsOptions {
  readonly store: Store
  readonly seal: Seal
  /** Seconds. */
  readonly lifetime: number
  readonly now: () => number
}

export function createConsents({ store, seal, lifetime, now }: ConsentsOptions): Consents {
  const records = createSealedStore<readonly string[]>(store, seal, 'as consent')
  const who = (subject: string, clientId: string): string => JSON.stringify([subject, clientId])
  const known = async (subject: string, clientId: string): Promise<readonly string[]> =>
    (await records.get(who(subject, clientId)))?.value ?? []
  return {
    async covers(subject, clientId, scopes) {
      const allowed = await known(subject, clientId)
      return scopes.every((scope) => allowed.includes(scope))
    },
    async remember(subject, clientId, scopes) {
      const all = [...new Set([...(await known(subject, clientId)), ...scopes])]
      await records.add(who(subject, clientId), all, now() + lifetime)
    },
  }
}
