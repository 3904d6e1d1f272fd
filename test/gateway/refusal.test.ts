import { readFile } from 'node:fs/promises'
import test from 'ava'
import { type RefusalCode, statusOf } from '../../src/gateway/refusal.js'
import { adviceOn } from '../../src/gateway/refusal-advice.js'
import { type ListenerRefusal, statusOf as statusOfListener } from '../../src/server/listener-refusal.js'

const source = await readFile('src/gateway/refusal.ts', 'utf8')
const codes = [...source.slice(0, source.indexOf('export class')).matchAll(/\| '(bff\.[\w.]+)'/g)].map(
  ([, code]) => code as RefusalCode,
)
const listenerSource = await readFile('src/server/listener-refusal.ts', 'utf8')
const listenerCodes = [...listenerSource.matchAll(/\| '(server\.[\w.]+)'/g)].map(([, code]) => code as ListenerRefusal)
const statuses = new Map<string, number>([
  ...codes.map((code) => [code, statusOf(code)] as const),
  ...listenerCodes.map((code) => [code, statusOfListener(code)] as const),
])
const page = await readFile('docs/errors.md', 'utf8')

test('docs/errors.md explains every code, with its status and an anchor, and no code that is not there', (t) => {
  t.true(codes.length > 25 && listenerCodes.length > 5)
  for (const [code, expected] of statuses) {
    const row = page.split('\n').find((line) => line.includes(`<a id="${code}"></a>`)) ?? ''
    const [, name = '', status = '', cause = '', remedy = ''] =
      row.split(' | ').length >= 4 ? ['', ...row.split(' | ')] : []
    t.true(name.includes(`\`${code}\``), code)
    t.is(Number(status), expected, code)
    t.true(cause.length > 10 && remedy.length > 5, code)
  }
  const explained = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, code]) => code)
  t.deepEqual(
    explained.filter((code = '') => !statuses.has(code)),
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
