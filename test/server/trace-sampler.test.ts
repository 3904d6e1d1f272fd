import * as sdk from '@opentelemetry/sdk-trace-node'
import test from 'ava'
import { traceSampler } from '../../src/server/trace-sampler.js'

/** What the SDK makes of the same variables, which it reads from the process's own. */
function samplerOfSdk(environment: Readonly<Record<string, string | undefined>>): string {
  for (const [name, value] of Object.entries(environment))
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  try {
    const { _sampler: sampler } = new sdk.NodeTracerProvider().getTracer('test') as unknown as { _sampler: sdk.Sampler }
    return sampler.toString()
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name]
  }
}

test('traces are sampled by OTEL_TRACES_SAMPLER as the SDK would sample them', (t) => {
  const names = ['always_on', 'always_off', 'traceidratio'].flatMap((name) => [name, `parentbased_${name}`])
  for (const name of [undefined, '', ' always_off ', 'jaeger_remote', 'parentbased_', 'ALWAYS_OFF', ...names])
    for (const argument of [undefined, '', '0', '0.01', ' 0.25 ', '1', '1e-3', '2', '-1', 'all']) {
      const environment = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument }
      t.is(traceSampler(sdk, environment).toString(), samplerOfSdk(environment), `${name} ${argument}`)
    }
})
