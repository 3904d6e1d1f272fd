import { readFile } from 'node:fs/promises'
import test from 'ava'
import { refusals } from '../../src/gateway/refusal.js'
import { apiRefusals } from '../../src/server/administration/api-refusal.js'
import { listenerRefusals } from '../../src/server/listener-refusal.js'

const page = await readFile('docs/errors.md', 'utf8')

/** The cells behind a code's own. */
function explained(code: string): readonly string[] {
  const row = page.split('\n').find((line) => line.startsWith(`| <a id="${code}"></a>\`${code}\` | `)) ?? ''
  return row.split(' | ').slice(1)
}

test('docs/errors.md explains every code, with its status, its title and an anchor', (t) => {
  for (const [code, { status, title }] of Object.entries(refusals)) {
    const [ofPage, titleOfPage, cause = '', remedy = ''] = explained(code)
    t.deepEqual([ofPage, titleOfPage], [String(status), title], code)
    t.true(cause.length > 10 && remedy.length > 5, code)
  }
  for (const [code, { status }] of Object.entries({ ...listenerRefusals, ...apiRefusals })) {
    const [ofPage, cause = '', remedy = ''] = explained(code)
    t.is(ofPage, String(status), code)
    t.true(cause.length > 10 && remedy.length > 5, code)
  }
})

test('docs/errors.md explains no code that is not there', (t) => {
  const codes = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, code]) => code)
  const others = [refusals, listenerRefusals, apiRefusals].flatMap(Object.keys)
  // Of `Validate`, which has this one only: server/validating.ts.
  t.deepEqual(codes.toSorted(), [...others, 'server.forward_auth.refused'].sort())
})

test('every code has a title and a remedy in words for people', (t) => {
  for (const { title, remedy } of Object.values(refusals)) {
    t.regex(title, /^[A-Z].*[^.]$/)
    t.regex(remedy, /^[A-Z].*\.$/)
  }
})
