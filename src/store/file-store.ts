import { getSystemErrorName } from 'node:util'
import { connectionCode, UpstreamError } from '../errors.js'
import { answeredWithin } from './answered-within.js'
import { openFileDatabase } from './file-database.js'
import { countOf, type FileOperations, memberName } from './file-operations.js'
import { type FileStoreOptions, fileStoreDefaults } from './file-options.js'
import { createFileSignals } from './file-signals.js'
import { type FileWriting, startFileWriting } from './file-writing.js'
import type { Store, StoreUsage } from './store.js'

/** A store that can say how full it is. */
export interface FileStore extends Store {
  /** At this moment. */
  usage(): Promise<StoreUsage>
}

/**
 * The store of one machine: a folder, which outlives the process and which several processes may share. What a caller was
 * told of is on the disk: it survives SIGKILL and the loss of power.
 * @throws UpstreamError `store_unavailable` when the folder cannot be written or nothing is compiled for this platform, and
 * by each operation that fails or takes too long
 * @example
 * ```ts
 * import { createFileStore } from 'sallyport'
 *
 * export const open = () => createFileStore({ path: '/var/lib/shop/store' })
 * ```
 */
export async function createFileStore({
  path,
  timeout = fileStoreDefaults.timeout,
  outage,
}: FileStoreOptions): Promise<FileStore> {
  const unavailable = (cause: unknown): UpstreamError =>
    new UpstreamError('store_unavailable', `the file store in ${path} did not answer`, { cause })
  const { database, writing } = await open(path).catch((cause: unknown) => {
    throw unavailable(cause)
  })
  const { records, members, counts, messages } = database
  let refused = 0

  const available = async <Reply>(operation: () => Reply | Promise<Reply>): Promise<Reply> => {
    try {
      const reply = await operation()
      outage?.worked()
      return reply
    } catch (cause) {
      const word = causeOf(cause)
      if (word === 'ENOSPC' || word === 'EDQUOT') refused += 1
      outage?.failed(word)
      throw unavailable(cause)
    }
  }
  const find = (key: string) => available(() => records.find(key))
  const write = <Name extends keyof FileOperations>(name: Name, ...values: Parameters<FileOperations[Name]>) =>
    available(() => answeredWithin(timeout, writing.perform(name, ...values)))
  // What has nothing to do for a writer is not given to one: it is answered by a look.
  const isText = async (key: string, expected: string): Promise<boolean> => (await find(key))?.text === expected
  const isThere = async (key: string): Promise<boolean> => (await find(key)) !== undefined
  const signals = createFileSignals(messages, (topic, message) => write('signal', topic, message))

  return {
    get: async (key) => (await find(key))?.text,
    async set(key, text, expiresAt) {
      await write('set', key, text, expiresAt)
    },
    addIfAbsent: async (key, text, expiresAt) => !(await isThere(key)) && write('addIfAbsent', key, text, expiresAt),
    replace: async (key, expected, text, expiresAt) =>
      (await isText(key, expected)) && write('replace', key, expected, text, expiresAt),
    extend: async (key, expiresAt) => (await isThere(key)) && write('extend', key, expiresAt),
    take: async (key) => ((await isThere(key)) ? write('take', key) : undefined),
    delete: async (key) => (await isThere(key)) && write('delete', key),
    deleteIf: async (key, expected) => (await isText(key, expected)) && write('deleteIf', key, expected),
    addMember: (key, member, expiresAt) => write('addMember', key, member, expiresAt),
    removeMember: (key, member) => write('removeMember', key, member),
    members: (key) => available(() => members.startingWith(memberName(key)).map(({ text }) => text)),
    async count(key, cost, quota) {
      const { count } = await available(() => countOf(counts.find(key), cost, quota))
      return cost === 0 || !count.counted ? count : write('count', key, cost, quota)
    },
    signals,
    async close() {
      signals.close()
      await writing.close()
      await database.close()
    },
    usage: async () => ({ records: records.count() + members.count(), refused, ...(await database.size()) }),
  }
}

async function open(
  path: string,
): Promise<{ database: Awaited<ReturnType<typeof openFileDatabase>>; writing: FileWriting }> {
  const database = await openFileDatabase(path)
  try {
    return { database, writing: await startFileWriting(path) }
  } catch (error) {
    await database.close()
    throw error
  }
}

/** The system's word, such as `ENOSPC`; without one, the kind of error. */
function causeOf(error: unknown): string {
  if (error instanceof DOMException) return error.name
  const { code } = error as { readonly code?: unknown }
  if (typeof code === 'number' && code > 0 && code < 200) return getSystemErrorName(-code)
  return connectionCode(error) ?? (error instanceof Error ? error.constructor.name : 'unknown')
}
