import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { build } from 'esbuild'

/*
 * The program in few files: Node.js reads one file faster than a hundred, and a start is a quarter cheaper
 * (docs/decisions/17-bundled-program.md). Our own code only: packages stay where npm has put them, so that an operator can update
 * each of them. The package's exports are the single files that the compiler has made.
 */
const program = 'dist/program'
const main = 'dist/main.js'

/** Modules that run in threads: they are named by `new URL('./name.js', import.meta.url)`, and so lie beside what names them. */
function threads() {
  return readdirSync('dist', { recursive: true })
    .filter((path) => path.endsWith('.js') && !path.startsWith('program'))
    .flatMap((path) =>
      [...readFileSync(join('dist', path), 'utf8').matchAll(/new URL\('\.\/(.+?\.js)', import\.meta\.url\)/g)].map(
        ([, thread]) => join('dist', dirname(path), thread),
      ),
    )
}

rmSync(program, { recursive: true, force: true })
await build({
  entryPoints: [main, ...threads()],
  outdir: program,
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
})
writeFileSync(main, `#!/usr/bin/env node\nimport './${basename(program)}/${basename(main)}'\n`)
