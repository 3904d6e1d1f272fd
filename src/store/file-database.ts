import { mkdir, readdir, readFile, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { RootDatabase } from 'lmdb'
import { assertSound } from './file-soundness.js'
import { createFileTable, type FileTable } from './file-table.js'
import type { StoreUsage } from './store.js'

/** The tables of a file store, and the files that they are in. */
export interface FileDatabase {
  readonly records: FileTable
  /** One record per member of a set. */
  readonly members: FileTable
  readonly counts: FileTable
  /** Beside the counts: a message is of no use any more after a loss of power either. */
  readonly messages: FileTable
  /** Of the files, which never shrink: what has been freed in them is used again. */
  size(): Promise<Pick<StoreUsage, 'bytes' | 'maxBytes'>>
  close(): Promise<void>
}

/** Where the records of a folder are. */
export function durableFile(path: string): string {
  return join(path, 'store.mdb')
}

/**
 * Loaded by those who have such a store: the validator, and who has Redis, may do without it.
 * @throws Error when the package is not there, or has nothing for this platform
 */
export function loadDatabase(): Promise<Pick<typeof import('lmdb'), 'open'>> {
  return import('lmdb')
}

/**
 * LMDB, by the package lmdb, which brings what is compiled for Linux (glibc and musl), macOS and Windows.
 * `overlappingSync` is off: with it, a process that is killed while it flushes takes the other processes' database along
 * (MDB_PANIC, seen after 20 times SIGKILL).
 * @throws Error when the folder cannot be written, or the package cannot be loaded; DamagedFile
 */
export async function openFileDatabase(path: string): Promise<FileDatabase> {
  const { open } = await loadDatabase()
  await mkdir(path, { recursive: true, mode: 0o700 })
  // For their owner alone, in a folder that others have made, too.
  const layout = { encoding: 'binary', maxDbs: 4, overlappingSync: false, permissionsMode: 0o600 } as const
  await assertSound(durableFile(path))
  const durable = open<Buffer, string>({ ...layout, path: durableFile(path) })
  const counts = await openCounts()

  /**
   * Counts need no disk, and one is made per call where a rate is limited. What was not flushed when the power went may be
   * torn, so that each boot of the machine has a file of its own. Where boots have no name, counts are flushed like the rest.
   */
  async function openCounts(): Promise<RootDatabase<Buffer, string> | undefined> {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
    if (boot === '') return undefined
    const name = `counts-${boot.slice(0, 8)}.mdb`
    for (const file of await readdir(path))
      if (file.startsWith('counts-') && !file.startsWith(name)) await rm(join(path, file), { force: true })
    await assertSound(join(path, name))
    return open<Buffer, string>({ ...layout, path: join(path, name), noSync: true })
  }

  const table = (root: RootDatabase<Buffer, string>, name: string): FileTable =>
    createFileTable(root.openDB({ ...layout, name }))
  return {
    records: table(durable, 'records'),
    members: table(durable, 'members'),
    counts: table(counts ?? durable, 'counts'),
    messages: table(counts ?? durable, 'messages'),
    async size() {
      const files = (await readdir(path)).filter((file) => file.endsWith('.mdb'))
      const sizes = await Promise.all(files.map(async (file) => (await stat(join(path, file))).size))
      const bytes = sizes.reduce((sum, size) => sum + size, 0)
      const { bavail, bsize } = await statfs(path)
      return { bytes, maxBytes: bytes + bavail * bsize }
    },
    async close() {
      await durable.close()
      await counts?.close()
    },
  }
}
