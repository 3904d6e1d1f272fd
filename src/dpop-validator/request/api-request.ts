import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { continueTrace } from '../../telemetry/tracing.js'

/** A request as it came in, whatever the framework: nothing joined, decoded or cleaned up. */
export interface ApiRequest {
  /** In capitals, as it was sent. */
  readonly method: string
  /** The request target as the router sees it, query included. */
  readonly target: string
  /** Name, value, name, value, … as they were sent: `rawHeaders` of `node:http`. */
  readonly rawHeaders: readonly string[]
  /** Address of the peer that is connected to us. */
  readonly peer: string | undefined
  /** The DER bytes of the client's certificate. */
  readonly clientCertificate?: () => Buffer | undefined
}

/**
 * A request of `node:http`, for `verifier.verify`, which the adapters call by themselves.
 * @param target The target before a framework cut a mount path off it. Default: `request.url`.
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { createVerifier, fromIncomingMessage } from 'sallyport/dpop-validator'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * createServer(async (request, response) => {
 *   const verdict = await verifier.verify(fromIncomingMessage(request), { scopes: ['orders'] })
 *   response.end(verdict.kind === 'accepted' ? verdict.auth.subject : verdict.kind)
 * }).listen(8080)
 * ```
 */
export function fromIncomingMessage(request: IncomingMessage, target: string = request.url ?? ''): ApiRequest {
  const socket = request.socket as Partial<TLSSocket>
  const apiRequest: ApiRequest = {
    method: request.method ?? '',
    target,
    rawHeaders: request.rawHeaders,
    peer: socket.remoteAddress,
    clientCertificate: () => socket.getPeerCertificate?.()?.raw,
  }
  continueTrace(request, apiRequest)
  return apiRequest
}
