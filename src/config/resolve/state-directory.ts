import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError } from '../../errors.js'

/** Where keys that the configuration does not give are made once and kept. */
export interface StateDirectory {
  /** What is kept under this name; made and kept when there is nothing yet. */
  keep(name: string, make: () => string): string
}

/** A folder that only its owner may read. Of several processes that start at once, all get what the first one made. */
export function stateDirectory(path: string): StateDirectory {
  return {
    keep(name, make) {
      const file = join(path, name)
      if (existsSync(file)) return readFileSync(file, 'utf8').trim()
      makeStateDirectory(path)
      const fresh = `${file}.${randomBytes(6).toString('hex')}`
      writable(path, () => writeFileSync(fresh, `${make()}\n`, { mode: 0o600, flag: 'wx', flush: true }))
      try {
        // A link is made completely or not at all, and never over a file that is there.
        linkSync(fresh, file)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      } finally {
        unlinkSync(fresh)
      }
      return readFileSync(file, 'utf8').trim()
    },
  }
}

/** @throws ConfigurationError when it cannot be made. */
export function makeStateDirectory(path: string): void {
  writable(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }))
}

function writable(path: string, write: () => void): void {
  try {
    write()
  } catch (cause) {
    throw new ConfigurationError(
      [
        {
          pointer: '/Server/StateDirectory',
          problem: `is ${path}, which cannot be written to, and there are keys to be made and kept`,
          remedy: 'Name a folder that this user may write to, or give all keys in the file.',
        },
      ],
      { cause },
    )
  }
}

/** For looking only: what is not there is made for the moment and forgotten. */
export function readOnlyStateDirectory(path: string): StateDirectory & { hasMade(): boolean } {
  const made = new Map<string, string>()
  return {
    keep(name, make) {
      const file = join(path, name)
      if (existsSync(file)) return readFileSync(file, 'utf8').trim()
      const value = made.get(name) ?? make()
      made.set(name, value)
      return value
    },
    hasMade: () => made.size > 0,
  }
}
