import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { eventually } from '../_eventually.js'
import { NotHere } from './_walk.js'

export interface Running {
  readonly child: ChildProcess
  /** What it has written to standard output and standard error. */
  output(): string
  stop(): Promise<void>
}

export interface ProgramOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
}

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) signal(child, 'SIGKILL')
})
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(1))

/** In a process group of its own, which ends with this program at the latest. */
export function start(command: string, parameters: readonly string[], options: ProgramOptions = {}): Running {
  const { cwd, environment = {} } = options
  const env = { ...process.env, NO_COLOR: '1', ...environment }
  const child = spawn(command, parameters, { detached: true, env, ...(cwd !== undefined && { cwd }) })
  running.add(child)
  child.once('exit', () => running.delete(child))
  child.stdin.on('error', () => undefined)
  let output = ''
  child.on('error', (error) => (output += `${error}\n`))
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  return {
    child,
    output: () => output,
    async stop() {
      if (!running.has(child)) return
      const exit = once(child, 'exit')
      signal(child, 'SIGTERM')
      const timer = setTimeout(() => signal(child, 'SIGKILL'), 20_000)
      await exit
      clearTimeout(timer)
    },
  }
}

/** Waits for an answer at `url`. What ends before is stopped and reported. */
export async function answers(program: Running, url: string, send: typeof fetch = fetch): Promise<void> {
  await eventually(
    async () => {
      if (program.child.exitCode !== null || program.child.signalCode !== null)
        throw new Error(`it has ended:\n${program.output()}`)
      return (await send(url).catch(() => undefined))?.ok === true
    },
    { within: 900 },
  ).catch(async (error: unknown) => {
    await program.stop()
    throw error
  })
}

/** Runs it to its end, and resolves with its standard output. @throws NotHere when it fails: what it was to bring is not there */
export async function brought(
  what: string,
  command: string,
  parameters: readonly string[],
  cwd: string,
): Promise<string> {
  const MAVEN_OPTS = `${process.env.MAVEN_OPTS ?? ''} -Xmx512m`
  const program = start(command, parameters, { cwd, environment: { MAVEN_OPTS } })
  const [code] = await once(program.child, 'close')
  if (code === 0) return program.output()
  const lines = stripVTControlCharacters(program.output()).trim().split('\n')
  const reason =
    lines.find((line) => /fatal|not (?:find|resolve|transfer)|no plugin|error:/i.test(line)) ?? lines.at(-1) ?? ''
  throw new NotHere(`${what} could not be had: ${command} says ${reason.slice(0, 500)}`)
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid ?? Number.NaN), name)
  } catch {
    // It has ended, or never started.
  }
}
