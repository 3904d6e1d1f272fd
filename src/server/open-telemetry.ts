import type { Environment } from '../config/environment.js'
import { ConfigurationError } from '../errors.js'
import { createHeadSampling } from '../telemetry/head-sampling.js'
import { traceWith } from '../telemetry/tracing.js'
import { packageVersion } from './package.js'
import { traceSampler } from './trace-sampler.js'

/**
 * Traces as the standard `OTEL_*` variables ask for it: where to (`OTEL_EXPORTER_OTLP_ENDPOINT`), how many
 * (`OTEL_TRACES_SAMPLER`), under which name (`OTEL_SERVICE_NAME`).
 * @returns what sends the last spans; undefined where nothing is asked for, and nothing loaded
 * @throws ConfigurationError when OpenTelemetry's packages are not installed
 * @see {@link https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ OpenTelemetry's variables}
 */
export async function startTracing(
  environment: Environment,
): Promise<{ readonly stop: () => Promise<void> } | undefined> {
  if (!isAskedFor(environment)) return undefined
  const { api, sdk, exporter, resources } = await packages()
  const processor = new sdk.BatchSpanProcessor(new exporter.OTLPTraceExporter())
  traceWith({
    sampling: createHeadSampling(api, traceSampler(sdk, environment)),
    source: {
      api,
      processor,
      resource: resources
        .defaultResource()
        .merge(resources.resourceFromAttributes({ 'service.name': 'sallyport', 'service.version': packageVersion() }))
        .merge(resources.detectResources({ detectors: [resources.envDetector] })),
      instrumentationScope: { name: 'sallyport', version: packageVersion() },
    },
  })
  return {
    async stop() {
      traceWith(undefined)
      // Spans that no collector takes are no reason to stay.
      await processor.shutdown().catch(() => undefined)
    },
  }
}

function isAskedFor(environment: Environment): boolean {
  return (
    !isSwitchedOff(environment) &&
    (environment.OTEL_TRACES_EXPORTER === 'otlp' || traceEndpoint(environment) !== undefined)
  )
}

function isSwitchedOff({ OTEL_SDK_DISABLED: disabled, OTEL_TRACES_EXPORTER: exporter }: Environment): boolean {
  return disabled?.toLowerCase() === 'true' || exporter === 'none'
}

/** The more particular one first. */
const endpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const

/** Where traces go, and the variable that says so; undefined where none are sent, or to OpenTelemetry's default. */
export function traceEndpoint(
  environment: Environment,
): { readonly variable: string; readonly value: string } | undefined {
  if (isSwitchedOff(environment)) return undefined
  for (const variable of endpoints) {
    const value = environment[variable] ?? ''
    if (value !== '') return { variable, value }
  }
  return undefined
}

async function packages() {
  try {
    const [api, sdk, exporter, resources] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace-node'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
    return { api, sdk, exporter, resources }
  } catch (cause) {
    throw new ConfigurationError(
      [
        {
          pointer: '',
          where: 'the environment',
          problem: 'asks for traces (OTEL_…), and the packages of OpenTelemetry are not installed',
          remedy:
            'Install them beside sallyport: `npm install @opentelemetry/sdk-trace-node @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources`; or set OTEL_SDK_DISABLED=true.',
        },
      ],
      { cause },
    )
  }
}
