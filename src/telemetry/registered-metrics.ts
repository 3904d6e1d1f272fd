import { Counter, Gauge, type Histogram, type Registry } from 'prom-client'
import { type MetricDefinition, metricDefinitions } from './metric-definitions.js'
import { createTally, type Tally } from './tally.js'

type Definitions = typeof metricDefinitions
type NameOf<Kind extends MetricDefinition['kind']> = {
  readonly [Name in keyof Definitions]: Definitions[Name]['kind'] extends Kind ? Name : never
}[keyof Definitions]
type LabelOf<Name extends keyof Definitions> = Definitions[Name]['labels'][number]

/** Makes metrics of the table, with the labels that it says. Each is made by the one who needs it. */
export function metricsIn(registry: Registry) {
  const described = <Name extends keyof Definitions>(name: Name) => {
    const { labels, kind, buckets, ...rest }: MetricDefinition = metricDefinitions[name]
    return {
      ...rest,
      labelNames: labels as readonly LabelOf<Name>[],
      registers: [registry],
    }
  }
  return {
    /** @param collect Called when metrics are read. */
    counter<Name extends NameOf<'counter'>>(name: Name, collect?: (counter: Counter<LabelOf<Name>>) => void) {
      return new Counter<LabelOf<Name>>({ ...described(name), ...(collect && { collect: whenRead(collect) }) })
    },
    histogram<Name extends NameOf<'histogram'>>(name: Name): Pick<Tally<LabelOf<Name>>, 'of'> {
      const { name: written, help, labels, buckets }: MetricDefinition = metricDefinitions[name]
      const tally = createTally(written, labels as readonly LabelOf<Name>[], buckets ?? [])
      registry.registerMetric(readable({ name: written, help, type: 'histogram', aggregator: 'sum' }, tally))
      return tally
    },
    /** What is so at the moment of reading. */
    gauge<Name extends NameOf<'gauge'>>(name: Name, read: (gauge: Gauge<LabelOf<Name>>) => void | Promise<void>) {
      return new Gauge<LabelOf<Name>>({ ...described(name), collect: whenRead(read) })
    },
  }
}

function whenRead<Metric, Result>(read: (metric: Metric) => Result) {
  return function collect(this: Metric): Result {
    return read(this)
  }
}

/** All that a registry asks of a metric is what it says when it is read. Its type wants the class. */
function readable(described: object, { values }: Pick<Tally<never>, 'values'>): Histogram {
  const metric = { ...described, get: async () => ({ ...described, values: values() }) }
  return metric as unknown as Histogram
}
