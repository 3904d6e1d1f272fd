import type { IncomingMessage } from 'node:http'
import type { RequestOrigin } from '../telemetry/request-origin.js'
import { clientOf, type IsTrustedPeer } from './trusted-peers.js'

/** Who is behind a request, as far as it is known when it comes. */
export function originOf(request: IncomingMessage, isTrustedPeer: IsTrustedPeer): RequestOrigin {
  const { address } = clientOf(request, isTrustedPeer)
  return { address, userAgent: request.headers['user-agent'] ?? '' }
}
