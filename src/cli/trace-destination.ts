import type { Environment } from '../config/environment.js'
import { failed, noted, type Trial } from './probe/probe.js'

/** The variables that say where traces go, the more particular one first: OpenTelemetry takes them as they are and loses all that does not arrive. */
const variables = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const

export function traceDestination(environment: Environment): readonly Trial[] {
  const variable = variables.find((name) => (environment[name] ?? '') !== '')
  if (variable === undefined) return []
  const value = environment[variable] ?? ''
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    return [
      failed(
        variable,
        'is no URL of http or https, so that no trace would arrive',
        'Write it as in "http://collector:4318".',
      ),
    ]
  if (url.port !== '4317') return []
  return [
    noted(
      variable,
      'has port 4317, where collectors speak gRPC: traces are sent by HTTP',
      'Write port 4318, unless yours speaks HTTP there.',
    ),
  ]
}
