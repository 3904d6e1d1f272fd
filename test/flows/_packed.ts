import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

const run = promisify(execFile)

/** A folder outside the repository with the packed package in it. */
export async function aFolderWithThePackage(
  t: ExecutionContext,
): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-packed-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder])
  const [{ filename }] = JSON.parse(packed.stdout) as [{ readonly filename: string }]
  return { folder, file: join(folder, filename) }
}

/** What `npm install` does with a packed file. */
export async function install(file: string, home: string): Promise<void> {
  await mkdir(home, { recursive: true })
  await run('tar', ['-xzf', file, '-C', home, '--strip-components=1'])
}

/** What it depends on is on this machine anyway. @param packages name to import it by, and its folder in `node_modules` here */
export async function link(modules: string, packages: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, folder] of Object.entries(packages)) {
    await mkdir(dirname(join(modules, name)), { recursive: true })
    await symlink(resolve('node_modules', folder), join(modules, name))
  }
}
