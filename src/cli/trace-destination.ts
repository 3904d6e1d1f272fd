import type { Environment } from '../config/environment.js'
import { traceEndpoint } from '../server/open-telemetry.js'
import { failed, noted, type Trial } from './probe/probe.js'

/** OpenTelemetry takes the variables as they are, and loses all that does not arrive. */
export function traceDestination(environment: Environment): readonly Trial[] {
  const endpoint = traceEndpoint(environment)
  if (endpoint === undefined) return []
  const { variable, value } = endpoint
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
