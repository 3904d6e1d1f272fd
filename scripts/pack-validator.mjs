import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

/*
 * Makes the package sallyport-dpop-validator of what `npm run build` has made: the validator, the files it imports, and
 * nothing else. Prints the file's name. The first argument is the folder that it goes to; default: this one.
 */
const whole = JSON.parse(readFileSync('package.json', 'utf8'))
const entries = Object.entries(whole.exports).filter(([name]) => name.startsWith('./dpop-validator'))

/** Every file that these import, and the packages that code (`run`) and types (`types`) of them name. */
function closureOf(files) {
  const found = new Set()
  const packages = { run: new Set(), types: new Set() }
  const follow = (file) => {
    if (found.has(file)) return
    found.add(file)
    const text = readFileSync(file, 'utf8').replace(/^\s*(?:\/?\*|\/\/).*$/gm, '')
    for (const [, specifier] of text.matchAll(/(?:from|import|import\()\s*['"]([^'"]+)['"]/g)) {
      if (specifier.startsWith('.')) {
        const target = join(dirname(file), specifier)
        follow(file.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target)
      } else if (!specifier.startsWith('node:')) {
        const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
        packages[file.endsWith('.d.ts') ? 'types' : 'run'].add(name)
      }
    }
    for (const [, worker] of text.matchAll(/new URL\(['"](\.[^'"]+\.js)['"], import\.meta\.url\)/g))
      follow(join(dirname(file), worker))
  }
  files.forEach(follow)
  return { files: [...found], packages }
}

const { files, packages } = closureOf(entries.flatMap(([, entry]) => [entry.default, entry.types]))
const undeclared = [...packages.types].filter((name) => !packages.run.has(name) && !(name in whole.peerDependencies))
if (undeclared.length > 0) throw new Error(`its types name packages that no user of it has: ${undeclared}`)
const versionOf = (name) => whole.dependencies[name] ?? whole.devDependencies[name]
const page = readFileSync('docs/protect-an-api.md', 'utf8')
  .replaceAll("'sallyport/dpop-validator", "'sallyport-dpop-validator")
  // Other pages are not in this package.
  .replaceAll(/\[([^\]]+)\]\((?!https?:|#)[^)]+\)/g, '$1')

const folder = mkdtempSync(join(tmpdir(), 'sallyport-validator-'))
try {
  for (const file of files) {
    const target = join(folder, file)
    mkdirSync(dirname(target), { recursive: true })
    cpSync(file, target)
  }
  cpSync('LICENSE', join(folder, 'LICENSE'))
  writeFileSync(join(folder, 'README.md'), page)
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify(
      {
        name: 'sallyport-dpop-validator',
        version: whole.version,
        description: 'DPoP-bound access tokens (RFC 9449) in Koa, Express, Fastify, node:http and Fetch handlers',
        license: whole.license,
        keywords: ['dpop', 'oauth2', 'fapi', 'koa', 'express', 'fastify'],
        repository: whole.repository,
        bugs: whole.bugs,
        homepage: whole.homepage,
        type: 'module',
        engines: whole.engines,
        sideEffects: false,
        exports: {
          ...Object.fromEntries(entries.map(([name, entry]) => [name.replace('/dpop-validator', ''), entry])),
          './package.json': './package.json',
        },
        dependencies: Object.fromEntries([...packages.run].sort().map((name) => [name, versionOf(name)])),
        peerDependencies: whole.peerDependencies,
        peerDependenciesMeta: whole.peerDependenciesMeta,
      },
      null,
      2,
    ),
  )
  const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', resolve(process.argv[2] ?? '.')], {
    cwd: folder,
    encoding: 'utf8',
  })
  console.log(join(process.argv[2] ?? '.', JSON.parse(packed)[0].filename))
} finally {
  rmSync(folder, { recursive: true })
}
