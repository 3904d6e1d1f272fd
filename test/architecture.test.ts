import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import test from 'ava'

/*
 * Products know shared code; shared code knows errors.ts, the room of JOSE and its own folder; only main, index, server and
 * cli know two products. Third-party packages enter by one door each.
 */
const products = ['gateway', 'authorization-server', 'dpop-validator']
const shared = ['dpop', 'store', 'http', 'telemetry']
/** What everything may stand on. */
const ground = ['errors.ts', 'jose', 'slices.ts']
const doors: Readonly<Record<string, readonly string[]>> = {
  'openid-client': ['gateway/oauth/'],
  'http-proxy': ['gateway/forwarding/http-proxy.ts'],
  'koa-session': ['gateway/session/koa-session.ts'],
  'lru-cache': ['store/bounded-cache.ts', 'store/fetched-cache.ts', 'telemetry/request-traces.ts'],
  '@redis/client': ['store/redis-client.ts'],
  lmdb: ['store/file-database.ts'],
  cookie: ['http/cookie.ts'],
  leven: ['config/did-you-mean.ts'],
  negotiator: ['http/preferred-language.ts', 'gateway/page/static-files.ts'],
  send: ['gateway/page/static-files.ts'],
  pino: ['telemetry/log.ts', 'cli/start.ts'],
  'prom-client': ['telemetry/metrics.ts', 'telemetry/registered-metrics.ts'],
  ajv: ['http/json-schema.ts'],
  zod: ['config/'],
  'jsonc-parser': ['config/'],
  commander: ['main.ts', 'cli/'],
  'node-forge': ['cli/dev/local-authority.ts'],
  'smol-toml': ['cli/import/oauth2-proxy.ts'],
}

const source = 'src'
const files = (await readdir(source, { recursive: true })).filter((file) => file.endsWith('.ts')).sort()

interface Import {
  readonly specifier: string
  readonly typeOnly: boolean
}

function importsOf(text: string): Import[] {
  return [
    ...text.matchAll(
      /^(?:import|export) (?:(type) )?(?:[^'\n]|\n(?! *from))*?from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm,
    ),
  ].map(([, type, from, bare, dynamic]) => ({ specifier: from ?? bare ?? dynamic ?? '', typeOnly: type !== undefined }))
}

/** @param from The importing file, @param to the imported one; both relative to the source folder. */
function mayImport(from: string, to: string, typeOnly: boolean): boolean {
  const [folder = '', target = ''] = [from, to].map((path) => path.split('/')[0])
  if (ground.includes(folder)) return ground.includes(target)
  if (['main.ts', 'index.ts', 'cli'].includes(folder)) return true
  if (folder === 'server') return target !== 'cli'
  if (target === folder || ground.includes(target)) return true
  if (products.includes(folder)) return shared.includes(target)
  if (folder === 'config')
    return shared.includes(target) || (products.includes(target) && (typeOnly || pure.includes(to)))
  // It reads what all products tell, and knows none of them.
  if (folder === 'audit') return shared.includes(target)
  if (shared.includes(folder)) return typeOnly && shared.includes(target)
  return false
}

/** Parts of products that are grammar or checks, not behaviour: the configuration reads the same language. */
const pure = [
  'authorization-server/check-options.ts',
  'authorization-server/client/certificate-authentication.ts',
  'authorization-server/client/permissions.ts',
  'authorization-server/defaults.ts',
  'authorization-server/sign-in/password.ts',
  'dpop-validator/defaults.ts',
  'dpop-validator/settings/settings.ts',
  'gateway/defaults.ts',
  'gateway/check-options.ts',
  'gateway/endpoints/endpoint-paths.ts',
  'gateway/frontend/check-frontends.ts',
  'gateway/frontend/frontend-grammar.ts',
  'gateway/routing/check-routes.ts',
]

for (const file of files) {
  test(`${file} imports only what its folder may import`, async (t) => {
    for (const { specifier, typeOnly } of importsOf(await readFile(join(source, file), 'utf8'))) {
      if (specifier.startsWith('.')) {
        const imported = relative(source, join(dirname(join(source, file)), specifier)).replace(/\.js$/, '.ts')
        t.true(mayImport(file, imported, typeOnly), `${file} reaches into ${imported}`)
      } else {
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        const door = doors[name]
        t.true(typeOnly || door === undefined || door.some((own) => file.startsWith(own)), `${name} belongs in ${door}`)
      }
    }
    t.pass()
  })
}

test('the import rule sees imports of every spelling', (t) => {
  const text = [
    "import { a } from './a.js'",
    "import type { B } from './b.js'",
    "import {\n  c,\n  d,\n} from './c.js'",
    "export { e } from './e.js'",
    "import './f.js'",
    "const g = await import('./g.js')",
  ].join('\n')
  t.deepEqual(
    importsOf(text).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? ' (type)' : ''}`),
    ['./a.js', './b.js (type)', './c.js', './e.js', './f.js', './g.js'],
  )
})

test('the import rule refuses what it is there to refuse', (t) => {
  t.false(mayImport('gateway/endpoints/login.ts', 'authorization-server/options.ts', false))
  t.false(mayImport('dpop-validator/adapters/koa.ts', 'gateway/gateway.ts', true))
  t.false(mayImport('store/seal.ts', 'gateway/session/koa-session.ts', true))
  t.false(mayImport('config/load.ts', 'gateway/gateway.ts', false))
  t.false(mayImport('errors.ts', 'store/store.ts', false))
  t.false(mayImport('jose/jwk.ts', 'dpop/proof.ts', true))
  t.false(mayImport('server/run.ts', 'cli/dev/dev.ts', false))
  t.true(mayImport('gateway/endpoints/login.ts', 'store/store.ts', false))
  t.true(mayImport('cli/start.ts', 'gateway/gateway.ts', false))
})

test('docs/architecture.md names every room, and those of the products one by one', async (t) => {
  const page = await readFile('docs/architecture.md', 'utf8')
  const rooms = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0] ?? ''))
  for (const room of rooms) {
    const [, row = ''] = new RegExp(`^\\| \`${room}/\` \\| (.+)$`, 'm').exec(page) ?? []
    t.not(row, '', room)
    if (!products.includes(room)) continue
    for (const file of files) {
      const [, inner, ...rest] = file.startsWith(`${room}/`) ? file.split('/') : []
      if (rest.length > 0) t.true(row.includes(`\`${inner}/\``), `${room}/${inner}`)
    }
  }
})

test('no file is part of a circle of imports, of types neither', async (t) => {
  const graph = new Map<string, readonly string[]>()
  for (const file of files) {
    const imports = importsOf(await readFile(join(source, file), 'utf8')).filter(({ specifier }) =>
      specifier.startsWith('.'),
    )
    graph.set(
      file,
      imports.map(({ specifier }) =>
        relative(source, join(dirname(join(source, file)), specifier)).replace(/\.js$/, '.ts'),
      ),
    )
  }
  const done = new Set<string>()
  const circles: string[] = []
  const follow = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file) || path.includes(file)) return
    for (const next of graph.get(file) ?? []) follow(next, [...path, file])
    done.add(file)
  }
  for (const file of files) follow(file, [])
  t.deepEqual(circles, [])
})

test('no file is longer than 250 lines, and no root of a product has more than a dozen', async (t) => {
  for (const file of files) {
    const lines = (await readFile(join(source, file), 'utf8')).split('\n').length - 1
    t.true(lines <= 250, `${file} has ${lines} lines`)
  }
  for (const product of products) t.true(files.filter((file) => dirname(file) === product).length <= 12, product)
})

/**
 * JOSE is the package jose. By hand it is done where it was measured to be too slow, and nowhere else
 * (docs/decisions/06-own-prover.md has the numbers).
 */
const joseByHand: Readonly<Record<string, string>> = {
  'dpop-validator/testing/header-cases.ts': 'signs what no library would: with wrong keys, under wrong names',
  'jose/algorithm.ts': 'makes and checks the signatures of the hot paths',
  'jose/jwk.ts': 'imports and makes keys without waiting, where proofs and configurations are read',
}

const keyOperations =
  /\b(?:sign|verify|createSign|createVerify|createPrivateKey|createPublicKey|createECDH|generateKeyPair|generateKeyPairSync|webcrypto)\b/

/** Hashes, random numbers and X.509 certificates are no JOSE. Imported by name, so that it can be seen what is used. */
function isJoseByHand(file: string): boolean {
  // An example in a docstring is not this file's code.
  const text = file.replaceAll(/^ *\/?\*.*$/gm, '')
  const imports = text.match(/(?:from |import\(|require\()'(?:node:)?crypto'/g) ?? []
  const named = [...text.matchAll(/^import (type )?\{([^}]*)\} from '(?:node:)?crypto'/gm)]
  const operations = named.filter(([, type, names = '']) => type === undefined && keyOperations.test(names))
  return named.length < imports.length || operations.length > 0 || /\bcrypto\.subtle\b/.test(text)
}

test('JOSE is done by hand in the files that say why, and in no other', async (t) => {
  const found: string[] = []
  for (const file of files) if (isJoseByHand(await readFile(join(source, file), 'utf8'))) found.push(file)
  t.deepEqual(found, Object.keys(joseByHand))
})

test('JOSE by hand is seen in every spelling', (t) => {
  for (const text of [
    "import { sign } from 'node:crypto'",
    "import { hash, verify as holds } from 'node:crypto'",
    "import {\n  hash,\n  createPublicKey,\n} from 'node:crypto'",
    "import * as crypto from 'node:crypto'",
    "import crypto from 'crypto'",
    "const { sign } = await import('node:crypto')",
    'await crypto.subtle.importKey()',
  ])
    t.true(isJoseByHand(text), text)
  t.false(isJoseByHand("import { createHmac, hash, X509Certificate } from 'node:crypto'"))
  t.false(isJoseByHand("import type { KeyObject } from 'node:crypto'"))
})
