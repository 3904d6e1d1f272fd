import { readFile } from 'node:fs/promises'
import test from 'ava'
import { type RefusalCode, statusOf } from '../../src/gateway/refusal.js'
import { adviceOn } from '../../src/gateway/refusal-advice.js'

const source = await readFile('src/gateway/refusal.ts', 'utf8')
const codes = [...source.slice(0, source.indexOf('export class')).matchAll(/\| '(bff\.[\w.]+)'/g)].map(
  ([, code]) => code as RefusalCode,
)
const page = await readFile('docs/errors.md', 'utf8')

test('docs/errors.md explains every code, with its status and an anchor, and no code that is not there', (t) => {
  t.true(codes.length > 25)
  for (const code of codes) {
    const row = page.split('\n').find((line) => line.includes(`<a id="${code}"></a>`)) ?? ''
    const [, name = '', status = '', cause = '', remedy = ''] =
      row.split(' | ').length >= 4 ? ['', ...row.split(' | ')] : []
    t.true(name.includes(`\`${code}\``), code)
    t.is(Number(status), statusOf(code), code)
    t.true(cause.length > 10 && remedy.length > 5, code)
  }
  const explained = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, code]) => code)
  t.deepEqual(
    explained.filter((code) => !codes.includes(code as RefusalCode)),
    [],
  )
})

test('every code has a title and a remedy in words for people', (t) => {
  for (const code of codes) {
    const { title, remedy } = adviceOn(code)
    t.regex(title, /^[A-Z].*[^.]$/)
    t.regex(remedy, /^[A-Z].*\.$/)
  }
})
