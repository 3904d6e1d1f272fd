import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from '../../http/trusted-peers.js'
import { publish } from '../../telemetry/events.js'
import type { FrontendOptions } from '../options.js'
import { strictTransportSecurity } from '../page/security-headers.js'
import { Refusal, statusOf } from '../refusal.js'
import type { RouteMatch } from '../routing/route.js'
import type { Held } from '../session/session-watch.js'
import type { Credentials } from '../tokens/credentials.js'
import type { Answered } from './attempts.js'
import { publicLocation } from './redirect.js'
import { relay } from './relay.js'
import { responseHeaders } from './response-headers.js'
import { publicCookie } from './set-cookie.js'
import type { UpstreamResponse } from './upstream-response.js'

/** One request of a browser that has passed every check, and all that forwarding it takes. */
export interface ForwardExchange {
  readonly frontend: FrontendOptions
  readonly match: RouteMatch
  readonly credentials: Credentials
  readonly client: Client
  /** What a sticky route knows the caller by, and what its open streams are counted by. Default: the client's address. */
  readonly visitor?: string | undefined
  readonly requestId: string
  /** Handle of the caller's session, for the log. */
  readonly session?: string | undefined
  /** Its signal is aborted when the session ends: WebSockets and event streams end with it. */
  readonly held?: Held | undefined
}

/** Something under way, as far as draining knows it. */
export interface Exchange {
  /** Ends what would not end by itself. */
  leave?: () => void
  breakOff(): void
}

/** Sends the upstream's answer on, as far as it may reach the browser. */
export function relayAnswer(
  upstreamResponse: UpstreamResponse,
  response: ServerResponse,
  { url, upstream }: Answered,
  { match, frontend, requestId }: ForwardExchange,
): void {
  const headers = responseHeaders(upstreamResponse, response, {
    requestId,
    transportSecurity: strictTransportSecurity(frontend),
    personal: match.route.tokenType !== 'None',
    publicLocation: (location) => publicLocation(location, url, upstream, match),
    publicCookie: (cookie) => publicCookie(cookie, upstream, match),
  })
  relay(upstreamResponse, response, headers)
}

/** What is measured of a call, for its line in the log. Times are milliseconds of the monotonic clock. */
export interface Measured {
  readonly started: number
  /** When the upstream's answer began; until then, when the call was over. */
  answeredAt: number
  /** What had been written to the connection before. */
  readonly bytesBefore: number
}

export function startMeasuring({ socket }: IncomingMessage): Measured {
  const started = performance.now()
  return { started, answeredAt: 0, bytesBefore: socket.bytesWritten }
}

export function report(
  { frontend, match, requestId, session }: ForwardExchange,
  { method = 'GET', url = '', socket }: IncomingMessage,
  status: number,
  { started, answeredAt, bytesBefore }: Measured,
  answered: Answered | undefined,
  code?: string,
): void {
  const ended = performance.now()
  const query = url.indexOf('?')
  publish({
    type: 'gateway.request.forwarded',
    frontend: frontend.name,
    requestId,
    route: match.route.path,
    method,
    path: query === -1 ? url : url.slice(0, query),
    status,
    ...(code !== undefined && { code }),
    ...(session !== undefined && { session }),
    bytes: socket.bytesWritten - bytesBefore,
    seconds: inSeconds(ended - started),
    upstreamSeconds: inSeconds((answeredAt || ended) - started),
    attempts: answered?.attempts ?? 0,
  })
}

/**
 * What the gateway answers itself, since the upstream gave no answer, is measured like the upstream's answers.
 * @param sent The status, where an answer had begun
 */
export function reportRefused(
  exchange: ForwardExchange,
  request: IncomingMessage,
  error: unknown,
  measured: Measured,
  sent?: number,
): void {
  const code = error instanceof Refusal ? error.code : 'bff.internal'
  report(exchange, request, sent ?? statusOf(code), measured, undefined, code)
}

/** To the microsecond. */
function inSeconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1_000_000
}
