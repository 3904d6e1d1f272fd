import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** A request as it came in, whatever the framework: nothing joined, decoded or cleaned up. */
export interface ApiRequest {
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

/** @param target The target before a framework cut a mount path off it. */
export function fromIncomingMessage(request: IncomingMessage, target: string = request.url ?? ''): ApiRequest {
  const socket = request.socket as Partial<TLSSocket>
  return {
    method: request.method ?? '',
    target,
    rawHeaders: request.rawHeaders,
    peer: socket.remoteAddress,
    clientCertificate: () => socket.getPeerCertificate?.()?.raw,
  }
}
