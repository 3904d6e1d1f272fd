import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createMetrics as createValidatorMetrics } from '../../src/dpop-validator/metrics.js'
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

test('every metric is documented with its labels', async (t) => {
  const metrics = createMetrics({ storeUsage: usage })
  t.teardown(metrics.close)
  const text = await metrics.render()
  const names = [...text.matchAll(/^# TYPE (sallyport_\w+)/gm)].map(([, name = '']) => name)
  const labels = new Map(defined(await readFile('src/telemetry/metrics.ts', 'utf8')))
  t.deepEqual(
    Object.fromEntries([...tableBelow('All metrics')].map(([name, cells]) => [name, cells[0]])),
    Object.fromEntries(names.map((name) => [name, labels.get(name)])),
  )
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

test('each metric has one definition in the source; the one that a validator also tells by itself has the same labels', async (t) => {
  const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts')).sort()
  const found = await Promise.all(
    files.map(async (file) => defined(await readFile(join('src', file), 'utf8')).map((metric) => ({ file, metric }))),
  )
  const definitions = new Map<string, string[]>()
  for (const { file, metric } of found.flat())
    definitions.set(metric[0], [...(definitions.get(metric[0]) ?? []), `${file}: ${metric[1]}`])
  t.true(definitions.size > 20)
  t.deepEqual(
    [...definitions].filter(([, places]) => places.length > 1),
    [['sallyport_validator_accepted_total', ['dpop-validator/metrics.ts: token', 'telemetry/metrics.ts: token']]],
  )
})

/** Names and labels of the metrics that a source file defines: by our own functions, prom-client's, or as text. */
function defined(source: string): [name: string, labels: string][] {
  const labelsIn = (list = ''): string => [...list.matchAll(/'(\w+)'/g)].map(([, label]) => label).join(', ')
  const made = source.matchAll(/\b(counter|gauge)\(\s*'(\w+)',\s*'[^']*'(?:,\s*\[([^\]]*)\])?/g)
  const ofPromClient = source.matchAll(/\bname: '(sallyport_\w+)',\s*help: '[^']*',(?:\s*labelNames: \[([^\]]*)\])?/g)
  const asText = source.matchAll(/\blines\(\s*'(sallyport_\w+)'[^;]*?(?=\.\.\.lines|\.join)/g)
  return [
    ...[...made].map(([, kind, name, list]): [string, string] => [
      `sallyport_${kind === 'gauge' ? 'store_' : ''}${name}`,
      labelsIn(list),
    ]),
    ...[...ofPromClient].map(([, name = '', list]): [string, string] => [name, labelsIn(list)]),
    ...[...asText].map(([text, name = '']): [string, string] => [name, /`\{(\w+)=/.exec(text)?.[1] ?? '']),
  ]
}

function inOrderOf(names: readonly string[]) {
  return ([left]: readonly [string, string], [right]: readonly [string, string]): number =>
    names.indexOf(left) - names.indexOf(right)
}
