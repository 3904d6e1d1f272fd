import type * as Sdk from '@opentelemetry/sdk-trace-node'
import type { Environment } from '../config/environment.js'

/**
 * Makes the sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` ask for. OpenTelemetry's SDK makes one of the same variables, but
 * does not hand it out. Default, also for a name that the SDK does not know: `parentbased_always_on`.
 * @see {@link https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration OpenTelemetry's variables}
 */
export function traceSampler(sdk: typeof Sdk, environment: Environment): Sdk.Sampler {
  const { OTEL_TRACES_SAMPLER: name = '', OTEL_TRACES_SAMPLER_ARG: argument } = environment
  const root = rootSampler(sdk, name.replace(/^parentbased_/, ''), argument)
  if (root !== undefined && !name.startsWith('parentbased_')) return root
  return new sdk.ParentBasedSampler({ root: root ?? new sdk.AlwaysOnSampler() })
}

function rootSampler(sdk: typeof Sdk, name: string, argument: string | undefined): Sdk.Sampler | undefined {
  switch (name) {
    case 'always_on':
      return new sdk.AlwaysOnSampler()
    case 'always_off':
      return new sdk.AlwaysOffSampler()
    case 'traceidratio':
      return new sdk.TraceIdRatioBasedSampler(ratioOf(argument))
    default:
      return undefined
  }
}

/** The share of traces that is sampled: all, where the argument is no number from 0 to 1. */
function ratioOf(argument = ''): number {
  const ratio = argument.trim() === '' ? Number.NaN : Number(argument)
  return ratio >= 0 && ratio <= 1 ? ratio : 1
}
