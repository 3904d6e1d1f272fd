import { Readable } from 'node:stream'
import { program } from '../../src/cli/program.js'

/* Runs one command after the other, as _sallyport.ts asks: what a command loads is loaded once. */

export interface AskedCommand {
  readonly words: readonly string[]
  readonly input: string
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
}

export interface CommandResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

class Ended extends Error {}

async function run({ words, input, cwd, environment }: AskedCommand): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' }
  const before = { stdin: Object.getOwnPropertyDescriptor(process, 'stdin'), exit: process.exit }
  process.chdir(cwd)
  process.env = environment
  process.exitCode = undefined
  Object.defineProperty(process, 'stdin', {
    configurable: true,
    value: Readable.from(input === '' ? [] : [Buffer.from(input)]),
  })
  process.exit = (code) => {
    process.exitCode = code ?? process.exitCode
    throw new Ended()
  }
  const writes = (['stdout', 'stderr'] as const).map((name) => {
    const { write } = process[name]
    process[name].write = (text: string | Uint8Array) => {
      written[name] += String(text)
      return true
    }
    return () => (process[name].write = write)
  })
  try {
    await program().parseAsync(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof Ended)) {
      written.stderr += String(error)
      process.exitCode = 1
    }
  } finally {
    for (const restore of writes) restore()
    process.exit = before.exit
    if (before.stdin !== undefined) Object.defineProperty(process, 'stdin', before.stdin)
  }
  const exitCode = Number(process.exitCode ?? 0)
  process.exitCode = undefined
  return { exitCode, ...written }
}

process.on('message', async (asked: AskedCommand) => process.send?.(await run(asked)))
process.on('disconnect', () => process.exit())
