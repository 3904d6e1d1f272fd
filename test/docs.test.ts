import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import test from 'ava'
import { type ParseError, parse } from 'jsonc-parser'
import { check } from '../src/cli/check.js'
import type { InitChoices } from '../src/cli/init/choices.js'
import { initialise } from '../src/cli/init/init.js'
import type { FieldRule } from '../src/gateway/forwarding/field-rules.js'
import { refusedBesidePersonal, refusedFromBrowser, refusedFromUpstream } from '../src/gateway/forwarding/fields.js'
import { generateSigningJwk } from '../src/jose/jwk.js'
import { type Block, blocksOf, pages, withAt } from './_pages.js'
import { shownPrograms, titleOf } from './_shown-programs.js'
import { sallyport } from './cli/_sallyport.js'
import { selfSigned } from './http/_self-signed.js'

/*
 * A code block that is not run rots. What runs depends on the fence:
 *   ts, ts file NAME         compiled against the package, then loaded
 *   jsonc, json              a whole configuration: `check` accepts it, without the network
 *   jsonc fragment /Pointer  a part of one: accepted at that place of a configuration that is otherwise right
 *   json file NAME           what the commands of the page read: written where they run
 *   sh                       every command exists: npm scripts in package.json, sallyport commands run in an empty folder
 *   html file, js file       written and opened by the test that walks the tutorial, test/flows/tutorial.test.ts
 *   java file, python file   what test/interop runs, compared by test/interop/documented.test.ts
 *   nginx file, caddy file   started by test/deploy/forward-auth.test.ts, which also reads the yaml files
 *   text, mermaid, http      for people only; tsx, vue, svelte too, which need packages that are not here
 */
/** What a page's fragments are parts of: a server elsewhere, and an API. */
const begun: InitChoices = { server: { kind: 'none' }, api: new URL('http://127.0.0.1:8080') }

const blocks = (await Promise.all(pages.map(blocksOf))).flat()

test('every code block says what it is', (t) => {
  for (const block of blocks)
    t.regex(
      block.fence,
      /^(ts|jsonc?( fragment \/\S+)?|(ts|js|html|json|nginx|caddy|yaml|java|python) file [\w./]+|sh|text|mermaid|http|tsx|vue|svelte)$/,
      titleOf(block),
    )
})

test('every link leads to a file that is there', async (t) => {
  for (const page of [...pages, 'SECURITY.md'])
    for (const [, target = ''] of (await readFile(page, 'utf8')).matchAll(/\]\((?!https?:|mailto:|#)([^)#]+)[^)]*\)/g))
      t.true(existsSync(join(dirname(page), target)), `${page} links to ${target}`)
})

for (const block of blocks.filter(({ fence }) => /^jsonc?\b(?! file)/.test(fence)))
  test(`the configuration at ${titleOf(block)} is accepted`, async (t) => {
    const errors: ParseError[] = []
    const value: unknown = parse(block.text, errors, { allowTrailingComma: true })
    t.deepEqual(errors, [])
    const [, , pointer] = block.fence.split(' ')
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-docs-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const isOfServer = pointer?.startsWith('/OpenIddict/') === true
    await initialise(folder, isOfServer ? { ...begun, server: { kind: 'embedded', user: { name: 'alice' } } } : begun)
    const file = join(folder, 'frontends.json')
    const whole = pointer === undefined ? value : withAt(parse(await readFile(file, 'utf8')), pointer, value)
    await writeFile(file, JSON.stringify(whole))
    for (const [, path = ''] of block.text.matchAll(/"StaticFilesPath": "([^"]+)"/g)) {
      await mkdir(join(folder, path), { recursive: true })
      await writeFile(join(folder, path, 'index.html'), '')
    }
    await writeCertificates(folder, block.text)
    const environment = Object.fromEntries(
      [...block.text.matchAll(/("\w+Jwk": |"AssertionKeys": \[)?\{ "Env": "(\w+)" \}/g)].map(([, isKey, name]) => [
        name,
        isKey === undefined ? randomBytes(32).toString('base64url') : JSON.stringify(generateSigningJwk('ES256')),
      ]),
    )
    let printed = ''
    const output = { write: (text: string) => (printed += text) }
    t.true(await check({ file, network: 'none', format: 'text', environment, output }), printed)
  })

test('the programs in the documents compile and load', async (t) => {
  const { problems, load } = await shownPrograms('documents')
  t.is(problems, '')
  // What a program names by `{ Env: … }`.
  await t.notThrowsAsync(load({ CLIENT_KEY: JSON.stringify(generateSigningJwk('ES256')) }))
})

for (const block of blocks.filter(({ fence }) => fence === 'sh'))
  test(`the commands at ${titleOf(block)} work`, async (t) => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: Record<string, string> }
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-docs-'))
    t.teardown(() => rm(folder, { recursive: true }))
    const commands = commandsOf(block)
    // A page that speaks of a configuration has one; `init` makes its own.
    if (!commands.some((command) => command.includes('sallyport init'))) await initialise(folder, begun)
    for (const { page, fence, text } of blocks)
      if (page === block.page && fence.startsWith('json file '))
        await writeFile(join(folder, fence.slice('json file '.length)), text)
    for (const command of commands) {
      const [program, ...parameters] = command.replace(/^npx --no-install /, '').split(/\s+/)
      const [verb = '', script = ''] = parameters
      if (program === 'npm') {
        if (verb === 'run') t.true(script in scripts, command)
        else t.true(['ci', 'install', 'start', 'test', 'pack'].includes(verb), command)
      } else if (program === 'sallyport') {
        const goesOut = ['start', 'dev'].includes(verb) || (verb === 'check' && !parameters.includes('--offline'))
        const words = goesOut ? [verb, '--help'] : unquoted(parameters)
        const input = 'a password that is long enough\n'
        const { exitCode, stdout, stderr } = await sallyport(words, { cwd: folder, input })
        t.is(exitCode, 0, `${command}\n${stdout}${stderr}`)
      } else t.fail(`${command}: neither npm nor sallyport; say \`text\` when it is only to be read`)
    }
  })

async function writeCertificates(folder: string, text: string): Promise<void> {
  const named = [...text.matchAll(/"(CertFile|KeyFile|CaFile)": "(\.\/[^"]+)"/g)]
  if (named.length === 0) return
  const { cert, key } = await selfSigned(['localhost', '127.0.0.1', 'mtls.auth.example.com'])
  for (const [, setting, path = ''] of named) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), setting === 'KeyFile' ? key : cert, { mode: 0o600 })
  }
}

function commandsOf({ text }: Block): string[] {
  return text
    .split('\n')
    .flatMap((line) => line.replace(/(?:^| )# .*/, '').split('&&'))
    .map((command) => command.trim())
    .filter((command) => command !== '')
}

function unquoted(words: readonly string[]): string[] {
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2'))
}

const printed = ({ fields, because }: FieldRule): string =>
  `| ${fields.trim().replaceAll(/\S+/g, '`$&`').replaceAll(/\s+/g, ' ')} | ${because}`

test('each row of docs/reliability.md names a test that is there', async (t) => {
  const rows = (await readFile('docs/reliability.md', 'utf8'))
    .split('\n')
    .filter((line) => /^\| (?!what fails|-)/.test(line))
  t.true(rows.length > 25)
  for (const row of rows) {
    const [, file = '', title = ''] = /\| `([\w/-]+)`: "([^"]+)" \|$/.exec(row) ?? []
    const tests = await readFile(`test/${file}.test.ts`, 'utf8').catch(() => '')
    t.true(title !== '' && tests.includes(`'${title}`), row)
  }
})

test('docs/routes.md prints the rules for header fields as they are', async (t) => {
  const text = await readFile('docs/routes.md', 'utf8')
  for (const rule of [...refusedFromBrowser, ...refusedFromUpstream, ...refusedBesidePersonal])
    t.true(text.includes(printed(rule)), printed(rule))
})

test('none of our commands fetches a package of our name from a registry: what is published there is not ours', async (t) => {
  const folders = ['docs', 'samples', 'src']
  const below = await Promise.all(
    folders.map(async (folder) => (await readdir(folder, { recursive: true })).map((name) => join(folder, name))),
  )
  const files = [...(await readdir('.')), ...below.flat()].filter((name) =>
    /\.(?:md|ts|js|html|json)$|Dockerfile$/.test(name),
  )
  const fetching = [
    /\bnpx (?!--no-install )(?:-\S+ )*sallyport/g,
    /\bnpm (?:i|install|add|exec|x|create|init)(?: -\S+)* sallyport(?![\w.-]*\.tgz)/g,
    /\b(?:pnpm|yarn|bun|deno|bunx|pnpx)\b[^\n`]*?(?:npm:|\s)sallyport\b/g,
  ]
  for (const file of files) {
    const text = await readFile(file, 'utf8')
    for (const command of fetching) t.deepEqual(text.match(command) ?? [], [], file)
  }
})
