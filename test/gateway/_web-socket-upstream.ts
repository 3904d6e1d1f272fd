import type { IncomingMessage } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { type RecordingUpstream, recordingUpstream, type Seen, seenOf } from './_upstream.js'

export interface WebSocketUpstream extends RecordingUpstream {
  readonly webSockets: WebSocketServer
}

/** A recording upstream that also takes WebSockets, by the `ws` package, and echoes what it is sent. */
export async function webSocketUpstream(
  onConnection: (socket: WebSocket, request: IncomingMessage) => void = (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  /** May refuse an upgrade by answering it. */
  refuse: (seen: Seen) => string | undefined = () => undefined,
  /** What its proofs are for. Default: where it listens. */
  calledAs?: URL,
): Promise<WebSocketUpstream> {
  const upstream = await recordingUpstream(undefined, calledAs)
  const { seen } = upstream
  const webSockets = new WebSocketServer({ noServer: true })
  webSockets.on('connection', (socket, request) => {
    socket.on('error', () => {})
    onConnection(socket, request)
  })
  upstream.server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    const one = seenOf(request, Buffer.alloc(0), calledAs ?? upstream.url)
    seen.push(one)
    const refusal = refuse(one)
    if (refusal !== undefined) socket.end(refusal)
    else webSockets.handleUpgrade(request, socket, head, (accepted) => webSockets.emit('connection', accepted, request))
  })
  return {
    ...upstream,
    webSockets,
    async close() {
      for (const client of webSockets.clients) client.terminate()
      await upstream.close()
    },
  }
}
