import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

const main = resolve('dist/main.js')

/** `sallyport start` with this file, in a folder of its own and until the test ends. Waits until it is ready. */
export async function startProgram(
  t: ExecutionContext,
  configuration: object,
  {
    admin,
    host = '127.0.0.1',
    environment,
  }: {
    readonly admin: number
    /** Of the admin listener. Default: 127.0.0.1. */
    readonly host?: string
    readonly environment: Readonly<Record<string, string>>
  },
): Promise<{ readonly child: ChildProcess; output(): string }> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-program-'))
  const file = join(folder, 'frontends.json')
  await writeFile(file, JSON.stringify(configuration))
  const child = spawn(process.execPath, [main, 'start', '--config', file], {
    cwd: folder,
    env: {
      ...process.env,
      NO_COLOR: '1',
      Server__AdminListen: `${host}:${admin}`,
      Server__DrainDelay: '00:00:00',
      ...environment,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await once(child, 'exit')
    }
    await rm(folder, { recursive: true, force: true })
  })
  while (!(await fetch(`http://${host}:${admin}/readyz`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`the program has ended:\n${output}`)
    await new Promise((resume) => setTimeout(resume, 25))
  }
  return { child, output: () => output }
}

/** What `sallyport keygen --password` prints. */
export async function passwordHashOf(password: string): Promise<string> {
  const hashing = promisify(execFile)(process.execPath, [main, 'keygen', '--password'])
  hashing.child.stdin?.end(password)
  return (await hashing).stdout.trim()
}
