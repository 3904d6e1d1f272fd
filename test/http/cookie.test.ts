import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isOwnCookie, ownCookieName } from '../../src/http/cookie.js'

const [https, http] = [new URL('https://app.example'), new URL('http://localhost:3000')]
const names = [
  ownCookieName('bff', '', https),
  ownCookieName('bff', '', http),
  ownCookieName('as', '', https),
  ownCookieName('as', '', http),
  ownCookieName('admin', '', http),
]

/** Whatever looks like the beginning of a cookie of ours, in a page or in the source. */
const prefixes = /(?:__Host-(?:Http-)?|sallyport-)(?:bff|as|admin)-/g

async function textsOf(folder: string, name: RegExp): Promise<(readonly [string, string])[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => name.test(file))
  return Promise.all(
    files.map(async (file) => [join(folder, file), await readFile(join(folder, file), 'utf8')] as const),
  )
}

test('every name that is made is known as ours', (t) => {
  for (const name of names) t.true(isOwnCookie(`${name}app`), name)
})

test('the pages name our cookies as they are made', async (t) => {
  const found = (await textsOf('docs', /\.md$/)).flatMap(([file, text]) =>
    [...text.matchAll(prefixes)].map(([prefix]) => [file, prefix] as const),
  )
  t.true(found.length >= 5)
  // What Granit calls its own is told to those who come from there.
  const isForeign = (file: string, prefix: string) => file === 'docs/migrating.md' && prefix === '__Host-bff-'
  for (const [file, prefix] of found) t.true(names.includes(prefix) || isForeign(file, prefix), `${prefix} in ${file}`)
})

test('no other file of the source spells a name: but for what documents a setting', async (t) => {
  for (const [file, text] of await textsOf('src', /\.ts$/)) {
    const spelled = [...text.matchAll(prefixes)].map(([prefix]) => prefix)
    if (file.startsWith('src/config/schema'))
      t.true(
        spelled.every((prefix) => names.includes(prefix)),
        file,
      )
    else t.deepEqual(spelled, [], file)
  }
})
