import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { refuseConnection } from './listener-refusal.js'

/** Requests that may wait on one connection for the answers before them. */
const mostWaiting = 32
/** Seconds that a client may go on with a body after its answer. */
const restOfBody = 5

/** A request and its response, while one is not finished. */
export interface Underway {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export interface OneAtATime {
  readonly serve: RequestListener
  /** What this connection waits for. */
  underway(socket: Socket): Underway | undefined
}

interface Line {
  underway: Underway | undefined
  readonly waiting: Underway[]
  isRefused: boolean
}

/** What node:http hangs on a connection: its parser. A listener that answers 2 makes it stop behind this request. */
interface ParsedSocket extends Socket {
  readonly parser?: { onIncoming: (request: IncomingMessage, shouldKeepAlive: boolean) => number } | null
}

/**
 * Serves the requests of one connection one after the other, and others between them. node:http begins all that have come
 * in one packet (2,400 fit into one) in the same turn, and writes their answers in order; a client that pipelines would make
 * all others wait.
 */
export function oneAtATime(server: Server, onRequest: RequestListener): OneAtATime {
  const lines = new WeakMap<Socket, Line>()

  const begin = (line: Line, { request, response }: Underway): void => {
    response.on('close', () => {
      if (!request.complete) limitRest(request)
      next(line, request.socket)
    })
    onRequest(request, response)
  }
  const next = (line: Line, socket: Socket): void => {
    line.underway = line.waiting.shift()
    const { underway } = line
    // Not before the answer under way is out, for the next one stands behind it.
    if (line.isRefused && socket.writable) refuseConnection(socket, 'server.request.pipelined')
    if (underway === undefined) return
    setImmediate(() => {
      if (underway.response.destroyed) next(line, socket)
      else begin(line, underway)
    })
  }
  const refuse = (line: Line, socket: Socket): void => {
    line.isRefused = true
    line.waiting.length = 0
    // What comes from now on is neither parsed nor read.
    socket
      .removeAllListeners('data')
      .on('data', () => {})
      .pause()
  }
  const stopWhenRefused = (socket: ParsedSocket): void => {
    const { parser } = socket
    if (parser === undefined || parser === null) return
    const { onIncoming } = parser
    parser.onIncoming = (request, shouldKeepAlive) => {
      const answer = onIncoming(request, shouldKeepAlive)
      return lines.get(socket)?.isRefused === true ? 2 : answer
    }
  }
  server.on('connection', stopWhenRefused).on('secureConnection', stopWhenRefused)

  return {
    serve(request, response) {
      const { socket } = request
      let line = lines.get(socket)
      if (line === undefined) {
        line = { underway: undefined, waiting: [], isRefused: false }
        lines.set(socket, line)
      }
      if (line.isRefused) return
      const underway = { request, response }
      if (line.underway === undefined) {
        line.underway = underway
        begin(line, underway)
      } else if (line.waiting.length < mostWaiting) line.waiting.push(underway)
      else refuse(line, socket)
    },
    underway: (socket) => lines.get(socket)?.underway,
  }
}

/** Reading on lets the answer arrive; but the rest of a body that is not wanted has to come soon. */
function limitRest(request: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), restOfBody * 1000).unref()
  request.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer))
}
