import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

/* Programs that documents and docstrings show: compiled against the package, then loaded. */

export const run = promisify(execFile)

/** A program, and where a reader finds it. */
export interface ShownProgram {
  readonly title: string
  readonly text: string
}

export interface CompiledPrograms {
  /** What the compiler has to say, with titles in place of file names; empty when all is well. */
  readonly problems: string
  /** Loads some of them in one process, one after the other. Rejects when one throws, or a `console.assert` does not hold. */
  load(indices: readonly number[], environment?: NodeJS.ProcessEnv): Promise<unknown>
}

/** In a folder of this process below `build/`, so that `sallyport` is this package. */
export async function compilePrograms(programs: readonly ShownProgram[]): Promise<CompiledPrograms> {
  await mkdir('build', { recursive: true })
  const home = await mkdtemp(resolve('build/shown-'))
  process.once('exit', () => rmSync(home, { recursive: true, force: true }))
  for (const [index, { text }] of programs.entries()) await writeFile(join(home, `program-${index}.ts`), text)
  const compilerOptions = { noEmit: false, outDir: '.', rootDir: '.', noUnusedLocals: false, noUnusedParameters: false }
  const configuration = { extends: '../../tsconfig.json', compilerOptions, include: ['*.ts'], exclude: [] }
  await writeFile(join(home, 'tsconfig.json'), JSON.stringify(configuration))
  const compiled = run(process.execPath, [resolve('node_modules/typescript/bin/tsc'), '-p', home])
  const problems = await compiled.then(
    () => '',
    ({ stdout }: { readonly stdout: string }) =>
      stdout.replace(/program-(\d+)\.ts/g, (_, index) => programs[Number(index)]?.title ?? ''),
  )
  // Loading a program runs it; a server that it starts gets a free port and does not keep the process.
  const hook = join(home, 'any-port.mjs')
  await writeFile(
    hook,
    `import assert from 'node:assert'
import { Server } from 'node:net'
const listen = Server.prototype.listen
Server.prototype.listen = function (...parameters) {
  const done = parameters.find((parameter) => typeof parameter === 'function')
  return listen.call(this, 0, '127.0.0.1', done).unref()
}
console.assert = assert\n`,
  )
  return {
    problems,
    load(indices, environment = {}) {
      const text = indices
        .map((index) => `try { await import('./program-${index}.js') } catch (error) { fail(${index}, error) }`)
        .join('\n')
      const loader = join(home, `load-${indices[0]}.mjs`)
      const fail = `const titles = ${JSON.stringify(programs.map(({ title }) => title))}
function fail(index, cause) { throw new Error(titles[index], { cause }) }\n`
      return writeFile(loader, fail + text).then(() =>
        run(process.execPath, ['--import', hook, loader], {
          timeout: 120_000,
          cwd: home,
          env: { ...process.env, ...environment },
        }),
      )
    },
  }
}
