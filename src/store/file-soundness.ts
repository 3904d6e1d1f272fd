import { execFile } from 'node:child_process'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What is in the way of a file that looks like a database. */
export class DamagedFile extends Error {}

/** How LMDB lays out 64-bit files: two pages that each begin with a header, a magic number and what the database is made of. */
const layout = { header: 24, magic: 0xbeef_c0de, pageSize: 48, lastPage: 144, length: 152 } as const
const architectures: readonly string[] = ['x64', 'arm64']

/**
 * LMDB maps the file into memory: what is no database, or a part of one, ends the process (SIGSEGV, SIGBUS) without a word. One
 * that is shorter than it says may be whole, if its last pages are free: then a process of its own reads it all, and may die of it.
 * @throws DamagedFile
 */
export async function assertSound(path: string): Promise<void> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined || !architectures.includes(process.arch)) return file?.close()
  try {
    const { size } = await file.stat()
    if (size === 0) return
    const { bytes: first, pageSize } = await meta(0)
    const { bytes: second } = await meta(pageSize)
    const pages = [first, second].map((bytes) => bytes.readBigUInt64LE(layout.lastPage))
    if (pages.some((last) => BigInt(size) < (last + 1n) * BigInt(pageSize)) && !(await canBeRead(path)))
      throw new DamagedFile(`${path} has been cut off`)
  } finally {
    await file.close()
  }

  async function meta(position: number): Promise<{ readonly bytes: Buffer; readonly pageSize: number }> {
    const bytes = Buffer.alloc(layout.length)
    const { bytesRead } = (await file?.read(bytes, 0, layout.length, position)) ?? { bytesRead: 0 }
    if (bytesRead < layout.length || bytes.readUInt32LE(layout.header) !== layout.magic)
      throw new DamagedFile(`${path} is damaged, or is no database`)
    return { bytes, pageSize: bytes.readUInt32LE(layout.pageSize) }
  }
}

async function canBeRead(path: string): Promise<boolean> {
  const program = fileURLToPath(new URL('./file-reading.js', import.meta.url))
  return promisify(execFile)(process.execPath, [program, path]).then(
    () => true,
    () => false,
  )
}
