import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { SallyportEvent } from '../../src/telemetry/events.js'
import { levelOf } from '../../src/telemetry/log.js'
import { createMetrics } from '../../src/telemetry/metrics.js'

const page = await readFile('docs/logs-and-metrics.md', 'utf8')
const usage = () => ({ records: 0, bytes: 0, maxBytes: 0, refused: 0 })

/** The rows of the table below a heading, by their first cell. */
function tableBelow(heading: string): Map<string, readonly string[]> {
  const [, section = ''] = page.split(`## ${heading}\n`)
  const rows = (section.split('\n## ')[0] ?? '').matchAll(/^\| `([\w.-]+)` \|(.*)\|$/gm)
  return new Map([...rows].map(([, name = '', rest = '']) => [name, rest.split('|').map((cell) => cell.trim())]))
}

test('every event is documented, at the level that it is logged at', async (t) => {
  const source = await readFile('src/telemetry/events.ts', 'utf8')
  const types = [...source.matchAll(/type: '([\w.-]+)'/g)].map(([, type]) => type as SallyportEvent['type'])
  t.true(types.length > 40)
  const documented = tableBelow('All events')
  const expected = types.map((type): [string, string] => [
    type,
    type === 'gateway.request.forwarded' ? 'debug' : levelOf(type),
  ])
  t.deepEqual(
    new Map([...documented].map(([type, [level]]) => [type, level])),
    new Map(expected.filter(([, level]) => level !== 'unlogged').sort(inOrderOf([...documented.keys()]))),
  )
})

test('every metric is documented with its labels', async (t) => {
  const metrics = createMetrics({ storeUsage: usage })
  t.teardown(metrics.close)
  const text = await metrics.render()
  const names = [...text.matchAll(/^# TYPE (sallyport_\w+)/gm)].map(([, name = '']) => name)
  t.deepEqual([...tableBelow('All metrics').keys()].sort(), names.sort())
})

test('each name of a metric is written once in the source, but for those that the validator tells by itself', async (t) => {
  const [process, validator] = await Promise.all(
    ['src/telemetry/metrics.ts', 'src/dpop-validator/metrics.ts'].map((file) => readFile(file, 'utf8')),
  )
  const own = [...(process ?? '').matchAll(/counter\(\s*'(\w+)'/g)].map(([, name]) => name)
  t.is(new Set(own).size, own.length)
  const shared = own.filter((name) => validator?.includes(`sallyport_${name}`))
  t.deepEqual(shared, ['validator_accepted_total'], 'which has the same labels there')
})

function inOrderOf(names: readonly string[]) {
  return ([left]: readonly [string, string], [right]: readonly [string, string]): number =>
    names.indexOf(left) - names.indexOf(right)
}
