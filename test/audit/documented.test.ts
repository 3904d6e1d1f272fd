import { readFileSync } from 'node:fs'
import test from 'ava'
import { auditActions } from '../../src/audit/actions.js'

test('docs/audit.md has every action, as the table in the code means it, and no other', (t) => {
  const page = readFileSync('docs/audit.md', 'utf8')
  const rows = page.matchAll(/^\| `(?<action>[a-z.-]+)` \| (?<outcome>success|failure) \| (?<meaning>.*?) \|$/gm)
  const documented = [...rows].map(({ groups }) => ({ ...groups }))
  const meant = Object.entries(auditActions).map(([action, { outcome, meaning }]) => ({ action, outcome, meaning }))
  t.deepEqual(documented, meant)
})
