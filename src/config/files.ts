import { createHash } from 'node:crypto'
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'

/** What a configuration is read from. Each file is read once: all that is made of it is made of the same bytes. */
export interface ConfigurationFiles {
  /** @throws NodeJS.ErrnoException */
  read(path: string): Buffer
  /** Names of what is in a folder, in order. @throws NodeJS.ErrnoException */
  list(folder: string): readonly string[]
  /** All that was read, or looked for and not found, so far. */
  snapshot(): Snapshot
  /** The state of the same on the disk, just before each was read. */
  stamps(): ReadonlyMap<string, string>
}

/** The code of what is there and is neither a file nor a folder. The system has none. */
export const notRegular = 'ENOTREG'

/** Differs when a file, or what a link to it leads to, has changed or come or gone. */
export function stampOf(stats: BigIntStats | undefined): string {
  return stats === undefined ? 'none' : [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' ')
}

/** The contents of files, for another process to read them from. Secrets are in it: it is for pipes between our own. */
export interface Snapshot {
  readonly files: Readonly<Record<string, Read<string>>>
  readonly folders: Readonly<Record<string, Read<readonly string[]>>>
}

/** Base64 of a file, or the names in a folder; or why there are none. */
type Read<Found> = { readonly found: Found } | { readonly code: string }

/** @param from What was read before. Default: nothing, everything is read from the disk. */
export function createFiles(from: Snapshot = { files: {}, folders: {} }): ConfigurationFiles {
  const files = new Map(Object.entries(from.files))
  const folders = new Map(Object.entries(from.folders))
  const stamps = new Map<string, string>()
  /** Before it is read: a change while it is read is one to come. */
  const stamped = (path: string): string => {
    stamps.set(path, stampOf(statSync(path, { bigint: true, throwIfNoEntry: false })))
    return path
  }
  return {
    read: (path) =>
      Buffer.from(
        once(files, path, () => readWhole(stamped(path)).toString('base64')),
        'base64',
      ),
    list: (folder) => once(folders, folder, () => readdirSync(stamped(folder)).sort()),
    stamps: () => stamps,
    snapshot: () => ({ files: Object.fromEntries(files), folders: Object.fromEntries(folders) }),
  }
}

/** Equal for equal contents, and good for comparing only. */
export function fingerprintOf(snapshot: Snapshot): string {
  return createHash('sha256').update(JSON.stringify(snapshot)).digest('base64url')
}

/** Bytes. */
const largest = 16_777_216
/** What a shell hands over ends: it writes all of it before, or beside us. */
const handedOver = /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/

/** Neither a pipe that waits for a writer nor a device without an end may hold up who is being served while this is read. */
function readWhole(path: string): Buffer {
  if (handedOver.test(path)) return readFileSync(path)
  const descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile() && !stats.isDirectory()) throw Object.assign(new Error('no file'), { code: notRegular })
    if (stats.size > largest) throw Object.assign(new Error('too large'), { code: 'EFBIG' })
    return readFileSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function once<Found>(known: Map<string, Read<Found>>, path: string, look: () => Found): Found {
  const read = known.get(path) ?? attempt(look)
  known.set(path, read)
  if ('found' in read) return read.found
  throw Object.assign(new Error(`${read.code}: ${path}`), { code: read.code })
}

function attempt<Found>(look: () => Found): Read<Found> {
  try {
    return { found: look() }
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'EIO' }
  }
}
