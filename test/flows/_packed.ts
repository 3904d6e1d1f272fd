import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { type ExecutionContext, registerCompletionHandler } from 'ava'

const run = promisify(execFile)

/** An empty folder outside the repository. */
export async function aFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-packed-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

/** The file of the packed package. Packing costs seconds, and the tests of a worker only read it. */
export const packedPackage = once(async (folder) => {
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder])
  const [{ filename }] = JSON.parse(packed.stdout) as [{ readonly filename: string }]
  return join(folder, filename)
})

/** The file of the package that has the validator alone. */
export const packedValidator = once(async (folder) => {
  const { stdout } = await run(process.execPath, ['scripts/pack-validator.mjs', folder])
  return stdout.trim()
})

/** Made when it is first asked for, in a folder that is gone when the worker ends. */
function once(pack: (folder: string) => Promise<string>): () => Promise<string> {
  let packed: Promise<string> | undefined
  return () =>
    (packed ??= mkdtemp(join(tmpdir(), 'sallyport-packed-')).then((folder) => {
      registerCompletionHandler(() => rm(folder, { recursive: true }))
      return pack(folder)
    }))
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
