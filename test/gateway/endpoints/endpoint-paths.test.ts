import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { endpointPaths as serverPaths } from '../../../src/authorization-server/endpoint-urls.js'
import { endpointPaths, endpointSegment } from '../../../src/gateway/endpoints/endpoint-paths.js'

/* Each path is written once. What has to spell it out (pages, samples, the browser's module) is compared with that. */

const folders = ['docs', 'samples', 'src/config', 'src/cli', 'src/browser']
const below = await Promise.all(
  folders.map(async (folder) => (await readdir(folder, { recursive: true })).map((name) => join(folder, name))),
)
/** Name the endpoints of other programs beside ours. */
const ofOthers = /^docs\/migrating\.md$|^src\/cli\/import\//
const files = ['README.md', ...below.flat()].filter(
  (name) => /\.(?:md|ts|js|html|jsonc?)$/.test(name) && !ofOthers.test(name),
)
const texts = new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)))

/** What is behind a marker, in every file: `login` of `bff/login`. */
function named(pattern: RegExp): { readonly file: string; readonly path: string }[] {
  return [...texts].flatMap(([file, text]) =>
    [...text.matchAll(pattern)].map(([, path = '']) => ({ file, path: `/${path}` })),
  )
}

test('whatever names an endpoint of a frontend names one that there is', (t) => {
  const known: readonly string[] = Object.values(endpointPaths)
  const found = [
    ...named(new RegExp(`(?<![\\w-])${endpointSegment}/([a-z][a-z-]*)`, 'g')),
    ...named(/\$\{base\}\/([a-z][a-z-]*)/g),
  ]
  t.true(found.length > 30, `${found.length} found`)
  for (const { file, path } of found) t.true(known.includes(path), `${path} in ${file}`)
})

test('the module for browsers asks below the segment of the endpoints', (t) => {
  const text = texts.get('src/browser/browser.ts') ?? ''
  t.true(text.includes(`base = '/${endpointSegment}'`))
  for (const endpoint of ['login', 'logout', 'user'] as const)
    t.true(text.includes(`\${base}${endpointPaths[endpoint]}`))
})

test('every endpoint of a frontend is documented', (t) => {
  const docs = [...texts].filter(([file]) => file.startsWith('docs')).map(([, text]) => text)
  for (const path of Object.values(endpointPaths))
    t.true(
      docs.some((text) => text.includes(`${endpointSegment}${path}`)),
      path,
    )
})

test('whatever names an endpoint of the authorization server names one that there is, and each has a row', (t) => {
  const known: readonly string[] = Object.values(serverPaths)
  for (const { file, path } of named(/(?<![\w)])\/(connect\/[a-z]+)/g))
    t.true(known.includes(path), `${path} in ${file}`)
  const rows = (texts.get('docs/authorization-server.md') ?? '').split('\n').filter((line) => line.startsWith('| `/'))
  for (const path of known)
    t.true(
      rows.some((row) => row.split(' | ')[0]?.includes(`\`${path}\``)),
      path,
    )
})
