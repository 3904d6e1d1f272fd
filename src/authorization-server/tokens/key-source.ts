import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError, UpstreamError } from '../../errors.js'
import type { Seal } from '../../store/seal.js'
import type { Store } from '../../store/store.js'

/** Where the key ring is kept: one text, replaced only by who has read the latest one. */
export interface SigningKeySource {
  /** The latest one; undefined when there is none yet. @throws UpstreamError `store_unavailable` */
  read(): Promise<SealedKeyRing | undefined>
  /** False when there is one already. */
  create(text: string): Promise<boolean>
  /** False when it is not the one that was read any more. */
  replace(revision: string, text: string): Promise<boolean>
}

/** A key ring as it was read. */
export interface SealedKeyRing {
  /** Opened, for the server alone. */
  readonly text: string
  /** What `replace` compares with. */
  readonly revision: string
}

const key = 'as signing keys'
// There is no bearer whose secret could be half of the key: the ring is sealed under the server's half alone.
const secret = 'signing keys'
/** Seconds. Written anew at each rotation, long before it is over. */
const tenYears = 315_360_000

/**
 * Keys in the store, sealed: what several replicas share, and the default.
 * @param now Seconds since the epoch. Tests pass their own.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { createMemoryStore, createSeal, createStoreKeySource } from 'sallyport/authorization-server'
 *
 * export const source = createStoreKeySource(createMemoryStore(), createSeal([randomBytes(32)]))
 * ```
 */
export function createStoreKeySource(
  store: Store,
  seal: Seal,
  now: () => number = () => Date.now() / 1000,
): SigningKeySource {
  return {
    async read() {
      const sealed = await store.get(key)
      return sealed === undefined ? undefined : { text: unsealed(seal, sealed), revision: sealed }
    },
    create: (text) => store.addIfAbsent(key, seal.seal(text, secret, key), now() + tenYears),
    replace: (revision, text) => store.replace(key, revision, seal.seal(text, secret, key), now() + tenYears),
  }
}

/**
 * Keys in a file, sealed: what one server keeps over restarts when its store is its memory.
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { createFileKeySource, createSeal, type SigningKeyOptions } from 'sallyport/authorization-server'
 *
 * const source = createFileKeySource('/var/lib/shop/signing-keys', createSeal([randomBytes(32)]))
 * export const signingKeys: SigningKeyOptions = { source, algorithms: ['PS256'] }
 * ```
 */
export function createFileKeySource(path: string, seal: Seal): SigningKeySource {
  const current = async (): Promise<string | undefined> => {
    try {
      return (await readFile(path, 'utf8')).trim()
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
      throw new UpstreamError('store_unavailable', 'the file of the signing keys cannot be read', { cause })
    }
  }
  const written = async (text: string): Promise<string> => {
    const temporary = `${path}.${randomUUID()}`
    await writeFile(temporary, `${seal.seal(text, secret, key)}\n`, { mode: 0o600, flag: 'wx' })
    return temporary
  }
  return {
    async read() {
      const sealed = await current()
      return sealed === undefined ? undefined : { text: unsealed(seal, sealed), revision: sealed }
    },
    async create(text) {
      const temporary = await written(text)
      try {
        // Unlike a rename, a link never replaces what is there.
        await link(temporary, path)
        return true
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
        throw error
      } finally {
        await rm(temporary, { force: true })
      }
    },
    replace: (revision, text) =>
      locked(`${path}.lock`, async () => {
        if ((await current()) !== revision) return false
        await rename(await written(text), path)
        return true
      }),
  }
}

function unsealed(seal: Seal, sealed: string): string {
  const text = seal.unseal(sealed, secret, key)
  if (text === undefined)
    throw new ConfigurationError([
      {
        pointer: '',
        problem: 'the signing keys of the authorization server were sealed under a sealing key that is not configured',
        remedy: 'Configure that sealing key again, after the new one.',
      },
    ])
  return text
}

/** One process at a time; a lock that its owner left behind is broken after ten seconds. */
async function locked<Result>(path: string, body: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      await (await open(path, 'wx')).close()
      break
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      const age = await stat(path).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      )
      if (age > 10_000) await rm(path, { force: true })
      else await delay(20)
    }
  }
  try {
    return await body()
  } finally {
    await rm(path, { force: true })
  }
}
