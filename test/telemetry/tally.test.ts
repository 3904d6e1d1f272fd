import test from 'ava'
import { Histogram, Registry } from 'prom-client'
import { metricDefinitions } from '../../src/telemetry/metric-definitions.js'
import { metricsIn } from '../../src/telemetry/registered-metrics.js'

const { name, help, labels, buckets } = metricDefinitions.storeOperations

/** Of prom-client's own class, which is what a histogram has to look like when it is read. */
function itsOwn(registry: Registry): Histogram<string> {
  return new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] })
}

test('a histogram reads as one of prom-client does: values on a bound, beyond all of them, and below', async (t) => {
  const [ours, theirs] = [new Registry(), new Registry()]
  const [tally, histogram] = [metricsIn(ours).histogram('storeOperations'), itsOwn(theirs)]
  for (const [index, value] of [0, 0.001, 0.0011, 0.3, 30, 31, -1, 0.3].entries()) {
    const observed = { operation: index % 2 === 0 ? 'get' : 'set', outcome: 'answered' }
    tally.of(observed)(value)
    histogram.observe(observed, value)
  }
  t.is(await ours.metrics(), await theirs.metrics())
  // What the primary process adds up, but for a member that only exemplars have.
  const added = await theirs.getMetricsAsJSON()
  const known = JSON.stringify(added, (member, value: unknown) => (member === 'exemplar' ? undefined : value))
  t.deepEqual(await ours.getMetricsAsJSON(), JSON.parse(known))
})

test('labels that were named and never counted are no series, and without labels there is one from the beginning', async (t) => {
  const registry = new Registry()
  const { histogram } = metricsIn(registry)
  histogram('storeOperations').of({ operation: 'get', outcome: 'failed' })
  histogram('validatorProofAge')
  const text = await registry.metrics()
  t.false(text.includes('operation='))
  t.true(text.includes('sallyport_validator_proof_age_seconds_count 0'))
})

test('labels that look alike when they are joined are two series', async (t) => {
  const registry = new Registry()
  const tally = metricsIn(registry).histogram('storeOperations')
  tally.of({ operation: 'a","b', outcome: 'c' })(1)
  tally.of({ operation: 'a', outcome: 'b","c' })(1)
  t.is((await registry.metrics()).match(/_count\{/g)?.length, 2)
})

test('a value that is no number does not spoil the sum of all others', async (t) => {
  const registry = new Registry()
  const count = metricsIn(registry).histogram('validatorProofAge').of({})
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 2]) count(value)
  t.regex(await registry.metrics(), /_sum 2\n.*_count 1\n/)
})
