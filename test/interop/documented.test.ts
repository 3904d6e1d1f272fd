import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { blocksOf, pages } from '../_pages.js'
import { programs } from './programs.js'

/* What `npm run test:interop` walks with is what the documents say, word for word; the walks are no part of this suite. */

test('every foreign program is in the table, with the version that is tried', async (t) => {
  const page = await readFile('docs/interoperability.md', 'utf8')
  for (const { title } of Object.values(programs)) {
    const [what = ''] = /^.*?\d+\.[\d.]*\)?/.exec(title) ?? []
    t.true(page.includes(`| ${what}`), what)
  }
})

test('every block of Java and Python is in the program that is run', async (t) => {
  const blocks = (await Promise.all(pages.map(blocksOf))).flat()
  const shown = blocks.filter(({ fence }) => /^(java|python) file /.test(fence))
  t.true(shown.length >= 3)
  for (const { page, fence, text } of shown) {
    const [language = '', , name = ''] = fence.split(' ')
    const program = await readFile(join('test/interop', language, name), 'utf8')
    t.true(unindented(program).includes(unindented(text)), `${page}: ${name}`)
  }
})

function unindented(text: string): string {
  return text.replace(/^ +/gm, '')
}
