import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ExecutionContext } from 'ava'
import { hashPassword } from '../../src/authorization-server/sign-in/password.js'
import { readConfiguration } from '../../src/config/load.js'
import { run } from '../../src/server/run.js'
import { eventually } from '../_eventually.js'

const main = resolve('dist/main.js')

export interface ProgramOptions {
  /** Port of the admin listener. */
  readonly admin: number
  /** Of the admin listener. Default: 127.0.0.1. */
  readonly host?: string
  readonly environment: Readonly<Record<string, string>>
}

/** `sallyport start` with this file, in a folder of its own and until the test ends. Waits until it is ready. */
export async function startProgram(
  t: ExecutionContext,
  configuration: object,
  { admin, host = '127.0.0.1', environment }: ProgramOptions,
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
      await once(child, 'close')
    }
    await rm(folder, { recursive: true, force: true })
  })
  await isReady(new URL(`http://${host}:${admin}/readyz`), child).catch((cause) => {
    throw new Error(`the program did not become ready:\n${output}`, { cause })
  })
  return { child, output: () => output }
}

/**
 * Resolves once a program that has been started answers, and does not say that it is not ready yet.
 * @throws Error when it ends, or takes a minute and a half
 */
export async function isReady(readiness: URL, child: ChildProcess): Promise<void> {
  // What starts a program has no earlier sign of it: it prints nothing when it logs to a file.
  await eventually(
    async () => {
      const answer = await fetch(readiness).catch(() => undefined)
      await answer?.body?.cancel()
      if (child.exitCode !== null) throw new Error('it has exited')
      return answer !== undefined && answer.status < 500
    },
    { within: 90 },
  )
}

/** The same in this process: a program takes a second of processor time to start. */
export async function runProgram(
  t: ExecutionContext,
  configuration: object,
  { admin, environment }: ProgramOptions,
): Promise<{ output(): string }> {
  const directory = await mkdtemp(join(tmpdir(), 'sallyport-program-'))
  const running = await run(
    readConfiguration({
      value: configuration,
      directory,
      environment: { Server__AdminListen: `127.0.0.1:${admin}`, ...environment },
    }),
  )
  t.teardown(async () => {
    await running.stop()
    await rm(directory, { recursive: true, force: true })
  })
  return { output: () => '' }
}

/** A hash that costs next to nothing to check. */
export const cheapHashOf = (password: string): Promise<string> => hashPassword(password, { ln: 4, p: 1 })
