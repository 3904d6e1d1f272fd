import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { build } from 'esbuild'

/*
 * The program and the package's exports in few files: Node.js reads one file faster than a hundred, and a start and an import are a
 * third cheaper (docs/decisions/17-bundled-code.md). Our own code only: packages stay where npm has put them, so that an operator
 * can update each of them.
 */
const bundle = 'dist/bundle'
const main = 'dist/main.js'

rmSync(bundle, { recursive: true, force: true })

const compiled = readdirSync('dist', { recursive: true })
  .filter((path) => path.endsWith('.js'))
  .map((path) => join('dist', path))

/** Modules that run in threads: they are named by `new URL('./name.js', import.meta.url)`, and so lie beside what names them. */
const threads = compiled.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/new URL\('\.\/(.+?\.js)', import\.meta\.url\)/g)].map(([, thread]) =>
    join(dirname(file), thread),
  ),
)

/** What a page loads is one file as it is: it needs nothing of the others. */
const isForPages = (file) => file.startsWith('dist/browser/')

/** What the package is asked for by name: `dist/main.js` is the command, the others are its exports. */
const named = [
  main,
  ...Object.values(JSON.parse(readFileSync('package.json', 'utf8')).exports)
    .flatMap((entry) => (typeof entry === 'string' ? [] : [join(entry.default)]))
    .filter((file) => !isForPages(file)),
]

await build({
  entryPoints: [...named, ...threads],
  outdir: bundle,
  entryNames: '[name]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
})

// One copy of the code is enough: what has been bundled goes, what is asked for by name leads into the bundle. The types stay.
for (const file of compiled) if (!isForPages(file)) rmSync(file)
for (const file of named) {
  const code = relative(dirname(file), join(bundle, basename(file)))
  const path = code.startsWith('.') ? code : `./${code}`
  writeFileSync(file, file === main ? `#!/usr/bin/env node\nimport '${path}'\n` : `export * from '${path}'\n`)
}
