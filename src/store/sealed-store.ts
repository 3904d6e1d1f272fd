import { hash } from 'node:crypto'
import type { Seal } from './seal.js'
import type { Expiry, Store } from './store.js'

/** A record as it was read, and the sealed text it was read from: what `replace` compares with. */
export interface SealedRecord<Value> {
  readonly value: Value
  /** Changes with every write. Equal revisions are equal records. */
  readonly revision: string
}

/**
 * Records that open only for the bearer of their secret. The store sees the secret's SHA-256 and a seal: a stolen store
 * plus the server's sealing key still opens nothing.
 */
export interface SealedStore<Value> {
  /** Where the record of this secret rests in the store: for indexes, which name records without opening them. */
  keyOf(secret: string): string
  add(secret: string, value: Value, expiresAt: number): Promise<SealedRecord<Value>>
  /** False, and nothing is written, when there is one, be it one that does not open any more. */
  addIfAbsent(secret: string, value: Value, expiresAt: number): Promise<boolean>
  get(secret: string): Promise<SealedRecord<Value> | undefined>
  /**
   * The same when `key` is at hand already.
   * @param known What was read before: given back as it is, without unsealing, when the record has not changed.
   */
  getAgain(
    key: string,
    secret: string,
    known: SealedRecord<Value> | undefined,
  ): Promise<SealedRecord<Value> | undefined>
  /** Undefined when the record has changed or gone since `revision` was read. */
  replace(secret: string, revision: string, value: Value, expiresAt: Expiry): Promise<SealedRecord<Value> | undefined>
  extend(secret: string, expiresAt: number): Promise<boolean>
  /** At most one caller gets it. */
  take(secret: string): Promise<Value | undefined>
  delete(secret: string): Promise<boolean>
}

/** A text to rest beside the seal in the same record, so that every operation is about both. It has no `~` in it. */
export type Beside<Value> = (value: Value, key: string) => string | undefined

/** What rests beside the seal. @param text of a record, as the store holds it */
export function besideSeal(text: string): string | undefined {
  const [, beside] = text.split('~')
  return beside
}

/** @param purpose Names the kind of record, such as `code` or `session admin`; part of key and seal. */
export function createSealedStore<Value>(
  store: Store,
  seal: Seal,
  purpose: string,
  besideOf?: Beside<Value>,
): SealedStore<Value> {
  const keyOf = (secret: string): string => `${purpose}:${hash('sha256', secret, 'base64url')}`
  const sealed = (secret: string, value: Value): string => {
    const key = keyOf(secret)
    const beside = besideOf?.(value, key)
    return seal.seal(JSON.stringify(value), secret, key) + (beside === undefined ? '' : `~${beside}`)
  }
  const opened = (secret: string, text: string | undefined): SealedRecord<Value> | undefined => {
    const plaintext = text === undefined ? undefined : seal.unseal(withoutBeside(text), secret, keyOf(secret))
    return text === undefined || plaintext === undefined
      ? undefined
      : { value: JSON.parse(plaintext) as Value, revision: text }
  }

  return {
    keyOf,
    async add(secret, value, expiresAt) {
      const revision = sealed(secret, value)
      await store.set(keyOf(secret), revision, expiresAt)
      return { value, revision }
    },
    addIfAbsent: (secret, value, expiresAt) => store.addIfAbsent(keyOf(secret), sealed(secret, value), expiresAt),
    get: async (secret) => opened(secret, await store.get(keyOf(secret))),
    async getAgain(key, secret, known) {
      const text = await store.get(key)
      return known !== undefined && known.revision === text ? known : opened(secret, text)
    },
    async replace(secret, before, value, expiresAt) {
      const revision = sealed(secret, value)
      return (await store.replace(keyOf(secret), before, revision, expiresAt)) ? { value, revision } : undefined
    },
    extend: (secret, expiresAt) => store.extend(keyOf(secret), expiresAt),
    take: async (secret) => opened(secret, await store.take(keyOf(secret)))?.value,
    delete: (secret) => store.delete(keyOf(secret)),
  }
}

function withoutBeside(text: string): string {
  const end = text.indexOf('~')
  return end === -1 ? text : text.slice(0, end)
}
