import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ListenerLimits } from '../http/listener-limits.js'
import { type ListenerRefusal, refuseConnection, refuseRequest } from './listener-refusal.js'
import type { OneAtATime } from './one-at-a-time.js'

/** Header fields of one request. node:http would pass over the rest without a word. */
const mostFields = 1000

/** What node:http decides by itself, decided here. */
export function serverOptions({ headerBytes, headTimeout, keepAliveTimeout }: ListenerLimits): ServerOptions {
  return {
    maxHeaderSize: headerBytes,
    headersTimeout: headTimeout * 1000,
    keepAliveTimeout: keepAliveTimeout * 1000,
    // A slow upload that never pauses is none of its business: silence is, and what a route says of its `Total`.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(headTimeout * 250, 5000),
    // It would answer without a body; we do, below.
    requireHostHeader: false,
  }
}

/** Its own answers, and its silence, in our format and in the log. */
export function answerForNode(server: Server, { serve, underway }: OneAtATime): void {
  server.maxRequestsPerSocket = 0
  server.maxHeadersCount = mostFields + 1

  const checked = (request: IncomingMessage, response: ServerResponse): void => {
    const fault = faultOf(request)
    if (fault === undefined) serve(request, response)
    else refuseRequest(response, fault)
  }
  server.on('request', checked)
  // Authentication comes before the body: the code that reads the body asks for it.
  server.on('checkContinue', checked)
  server.on('checkExpectation', (_request, response) => refuseRequest(response, 'server.request.expectation_unknown'))
  server.on('connect', (_request, socket) => {
    socket.on('error', () => socket.destroy())
    refuseConnection(socket, 'server.request.method_unsupported')
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const hasBegun = underway(socket)?.response.headersSent === true
    // A connection on which nothing came was made ahead, as browsers do: an answer would be taken for the next request's.
    const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0
    if (error.code === 'ECONNRESET' || !socket.writable || hasBegun || isUnused) socket.destroy()
    else refuseConnection(socket, refusalOf(error))
  })
}

function faultOf({ httpVersion, headers, rawHeaders }: IncomingMessage): ListenerRefusal | undefined {
  if (rawHeaders.length > 2 * mostFields) return 'server.request.header_too_large'
  // RFC 9112 §3.2.
  return headers.host === undefined && httpVersion === '1.1' ? 'server.request.malformed' : undefined
}

function refusalOf({ code }: NodeJS.ErrnoException): ListenerRefusal {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'server.request.header_too_large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'server.request.timeout'
    default:
      return 'server.request.malformed'
  }
}
