import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The one upgrade we know: anything else in the field is an offer that a server may pass over, and answers the request as
 * if it were not there. Java's HttpClient and `curl --http2` offer `h2c` with whatever they ask over plain http.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-7.8 RFC 9110 §7.8}
 */
export function isWebSocketUpgrade({ method, httpVersion, headers }: IncomingMessage): boolean {
  return method === 'GET' && httpVersion === '1.1' && headers.upgrade?.toLowerCase() === 'websocket'
}

/** What node:http hangs on a connection: its parser, which decides about an upgrade when the head is there. */
interface ParsedSocket extends Socket {
  readonly parser?: { onIncoming: (request: IncomingMessage, shouldKeepAlive: boolean) => number } | null
}

/**
 * Keeps all upgrades but those to WebSocket from a server's `upgrade` event, which would take the request's body and the
 * connection with it. Node.js 24 has an option for that, `shouldUpgradeCallback`; Node.js 20 asks nothing but whether
 * there is a listener.
 */
export function passOverOtherUpgrades(server: Server): void {
  const onConnection = (socket: ParsedSocket): void => {
    const { parser } = socket
    // A connection whose TLS is still to begin.
    if (parser === undefined || parser === null) return
    const { onIncoming } = parser
    parser.onIncoming = (request, shouldKeepAlive) => {
      if (!isWebSocketUpgrade(request)) Object.assign(request, { upgrade: request.method === 'CONNECT' })
      return onIncoming(request, shouldKeepAlive)
    }
  }
  // The parser stops behind such a request and drops what came with it: that has to be sent again elsewhere.
  const closesBehind = ({ headers }: IncomingMessage, response: ServerResponse): void => {
    if (headers.upgrade !== undefined) response.shouldKeepAlive = false
  }
  server.on('connection', onConnection).on('secureConnection', onConnection)
  server.prependListener('request', closesBehind).prependListener('checkContinue', closesBehind)
}
