import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { AskedCommand, CommandResult } from './_sallyport-process.js'

export type { CommandResult }

export interface CommandOptions {
  /** Standard input, to its end. */
  readonly input?: string
  readonly cwd?: string
  /** Default: the environment of the process. */
  readonly environment?: NodeJS.ProcessEnv
}

let commands: ChildProcess | undefined
let last: Promise<unknown> = Promise.resolve()

/**
 * A command as it is typed, in a process of its own that runs all those of a test file: a program needs a second of processor
 * time to load. For commands that end by themselves; one that serves needs `spawnSallyport`.
 */
export function sallyport(words: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const result = last.then(() => ask(words, options))
  last = result.catch(() => undefined)
  return result
}

async function ask(
  words: readonly string[],
  { input = '', cwd = '.', environment = process.env }: CommandOptions,
): Promise<CommandResult> {
  commands ??= fork(fileURLToPath(new URL('_sallyport-process.js', import.meta.url)), { execArgv: [] })
  const running = commands
  running.ref()
  running.channel?.ref()
  const answered = new AbortController()
  const { signal } = answered
  const answer = Promise.race([
    once(running, 'message', { signal }).then(([result]) => result as CommandResult),
    once(running, 'exit', { signal }).then(() => {
      commands = undefined
      throw new Error(`the process of commands has ended at ${words.join(' ')}`)
    }),
  ])
  running.send({ words, input, cwd: resolve(cwd), environment: { ...environment } } satisfies AskedCommand)
  try {
    return await answer
  } finally {
    answered.abort()
    // It does not keep a worker from ending, and ends with it.
    running.unref()
    running.channel?.unref()
  }
}

/** The same by a process of its own, as a user starts it. */
export function spawnSallyport(
  words: readonly string[],
  { input = '', cwd = '.', environment = process.env }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((done) => {
    const main = resolve('dist/main.js')
    const child = execFile(process.execPath, [main, ...words], { cwd, env: environment }, (error, stdout, stderr) => {
      done({ exitCode: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1, stdout, stderr })
    })
    child.stdin?.end(input)
  })
}
