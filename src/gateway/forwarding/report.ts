import { publish } from '../../telemetry/events.js'
import { inTraceOf } from '../../telemetry/tracing.js'
import { Refusal, statusOf } from '../refusal.js'
import type { ProxiedRequest } from '../request.js'

/**
 * One line in the log and one count in the metrics for each proxied request, when it is over.
 * @param attempts requests that were sent to upstreams
 */
export function report(
  { frontend, route, requestId, request, open, times }: ProxiedRequest,
  status: number,
  attempts: number,
  code?: string,
): void {
  const ended = performance.now()
  const { method = 'GET', url = '', socket } = request
  const query = url.indexOf('?')
  const event = {
    type: 'gateway.request.forwarded',
    frontend: frontend.name,
    requestId,
    route: route.path,
    method,
    path: query === -1 ? url : url.slice(0, query),
    status,
    code,
    session: open?.session.handle,
    bytes: socket.bytesWritten - times.bytesBefore,
    seconds: inSeconds(ended - times.started),
    ownSeconds: inSeconds((times.forwarded || ended) - times.started),
    upstreamSeconds: times.forwarded === 0 ? 0 : inSeconds((times.answered || ended) - times.forwarded),
    attempts,
  } as const
  inTraceOf(request, () => publish(event))
}

/**
 * What the gateway answers itself, since the upstream gave no answer, is measured like the upstream's answers.
 * @param sent The status, where an answer had begun
 */
export function reportRefused(call: ProxiedRequest, error: unknown, sent?: number): void {
  const code = error instanceof Refusal ? error.code : 'bff.internal'
  report(call, sent ?? statusOf(code), 0, code)
}

/** To the microsecond. */
function inSeconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1_000_000
}
