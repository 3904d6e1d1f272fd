import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createMetrics as createValidatorMetrics } from '../../src/dpop-validator/metrics.js'
import type { SallyportEvent } from '../../src/telemetry/events.js'
import { levelOf } from '../../src/telemetry/log.js'
import { metricDefinitions } from '../../src/telemetry/metric-definitions.js'
import { createMetrics, withConfigurationMetrics } from '../../src/telemetry/metrics.js'

const page = await readFile('docs/logs-and-metrics.md', 'utf8')
const usage = () => ({ records: 0, bytes: 0, maxBytes: 0, refused: 0 })

/** The rows of the table below a heading, by their first cell. */
function tableBelow(heading: string): Map<string, readonly string[]> {
  const [, section = ''] = page.split(`## ${heading}\n`)
  const rows = (section.split('\n## ')[0] ?? '').matchAll(/^\| `([\w.-]+)` \|(.*)\|$/gm)
  return new Map([...rows].map(([, name = '', rest = '']) => [name, rest.split('|').map((cell) => cell.trim())]))
}

test('every event is documented, at the level that it is logged at', async (t) => {
  const files = (await readdir('src/telemetry')).filter((file) => /events\.ts$/.test(file))
  const sources = await Promise.all(files.map((file) => readFile(join('src/telemetry', file), 'utf8')))
  const types = [...sources.join('\n').matchAll(/type: '([\w.-]+)'/g)].map(([, type]) => type as SallyportEvent['type'])
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

test('every metric is documented with its labels, and every one that is documented is told', async (t) => {
  const metrics = createMetrics({ version: '1.2.3', storeUsage: usage })
  t.teardown(metrics.close)
  const figures = { generation: 1, takenOverAt: 0, refusals: 0 }
  const text = await withConfigurationMetrics(metrics, () => figures).render()
  const told = [...text.matchAll(/^# TYPE (sallyport_\w+)/gm)].map(([, name = '']) => name)
  const defined = Object.values(metricDefinitions)
  t.deepEqual(told.sort(), defined.map(({ name }) => name).sort())
  t.deepEqual(
    Object.fromEntries([...tableBelow('All metrics')].map(([name, cells]) => [name, cells[0]])),
    Object.fromEntries(defined.map(({ name, labels }) => [name, labels.join(', ')])),
  )
})

test('names and units are those of Prometheus', (t) => {
  for (const { name, kind } of Object.values(metricDefinitions)) {
    t.regex(name, /^sallyport_[a-z_]+$/)
    t.is(kind === 'counter', name.endsWith('_total'), name)
    t.is(kind === 'histogram', /(?<!_timestamp)_seconds$/.test(name), name)
  }
})

test('what a validator counts by itself is documented', async (t) => {
  const text = await readFile('docs/protect-an-api.md', 'utf8')
  const names = [
    ...createValidatorMetrics()
      .text()
      .matchAll(/^# TYPE (sallyport_\w+)/gm),
  ].map(([, name = '']) => name)
  t.true(names.length >= 3)
  for (const name of names) t.true(text.includes(`| \`${name}\` |`), name)
})

test('the name of a metric is written in one place of the source', async (t) => {
  const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'))
  const sources = await Promise.all(
    files.map(async (file) => [file, await readFile(join('src', file), 'utf8')] as const),
  )
  for (const { name } of Object.values(metricDefinitions))
    t.deepEqual(
      sources.filter(([, source]) => source.includes(name)).map(([file]) => file),
      ['telemetry/metric-definitions.ts'],
      name,
    )
})

function inOrderOf(names: readonly string[]) {
  return ([left]: readonly [string, string], [right]: readonly [string, string]): number =>
    names.indexOf(left) - names.indexOf(right)
}
