import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from '../../http/trusted-peers.js'
import { publish } from '../../telemetry/events.js'
import type { Credentials } from '../credentials.js'
import type { FrontendOptions } from '../options.js'
import type { RouteMatch } from '../route.js'
import { strictTransportSecurity } from '../security-headers.js'
import type { Held } from '../session-watch.js'
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
  { match, frontend }: ForwardExchange,
): void {
  const headers = responseHeaders(upstreamResponse, response, {
    transportSecurity: strictTransportSecurity(frontend),
    personal: match.route.tokenType !== 'None',
    publicLocation: (location) => publicLocation(location, url, upstream, match),
    publicCookie: (cookie) => publicCookie(cookie, upstream, match),
  })
  relay(upstreamResponse, response, headers)
}

/** @param started milliseconds of the monotonic clock */
export function report(
  { frontend, match, requestId }: ForwardExchange,
  { method = 'GET' }: IncomingMessage,
  status: number,
  started: number,
  answered: Answered | undefined,
): void {
  publish({
    type: 'gateway.request.forwarded',
    frontend: frontend.name,
    requestId,
    route: match.route.path,
    method,
    status,
    seconds: (performance.now() - started) / 1000,
    attempts: answered?.attempts ?? 0,
  })
}
