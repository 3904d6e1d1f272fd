import { readFile } from 'node:fs/promises'
import test from 'ava'
import { parse } from 'yaml'
import { type MetricDefinition, metricDefinitions } from '../../src/telemetry/metric-definitions.js'

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets?: readonly { readonly expr: string }[] }[]
}
interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
}

const dashboard = JSON.parse(await readFile('deploy/grafana/sallyport.json', 'utf8')) as Dashboard
const alerts = parse(await readFile('deploy/prometheus/alerts.yaml', 'utf8')) as Alerts
const known = new Map<string, MetricDefinition>(
  Object.values(metricDefinitions).map((definition): [string, MetricDefinition] => [definition.name, definition]),
)

const queries = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [`panel ${title}`, expr] as const),
  ),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [`alert ${alert}`, expr] as const)),
]

/** Of Prometheus and of the histogram itself. */
const always = ['le', 'instance']

for (const [index, [place, expr]] of queries.entries())
  test(`${place} (${index}) asks for a metric that there is, by labels that it has`, (t) => {
    const asked = [...expr.matchAll(/\bsallyport_\w+/g)].map(([name]) => name)
    t.true(asked.length > 0)
    const labels = new Set(always)
    for (const name of asked) {
      const plain = name.replace(/_(?:bucket|sum|count)$/, '')
      const definition = known.get(name) ?? known.get(plain)
      t.truthy(definition, name)
      t.is(definition?.kind === 'histogram', name !== plain, `${name} is a ${definition?.kind}`)
      for (const label of definition?.labels ?? []) labels.add(label)
    }
    for (const [, names = ''] of expr.matchAll(/\bby \(([^)]*)\)/g))
      for (const name of names.split(',').map((part) => part.trim())) t.true(labels.has(name), `label ${name}`)
    for (const [, name = ''] of expr.matchAll(/[{,]\s*(\w+)(?:=~|=|!=)"/g)) t.true(labels.has(name), `label ${name}`)
  })
