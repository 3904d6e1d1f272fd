import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { refuseRequest } from './listener-refusal.js'
import type { OneAtATime, Underway } from './one-at-a-time.js'

/**
 * Ends connections on which nothing has moved for as long as their timer runs, through the client's fault: it does not send what it has
 * announced of a body, or does not take an answer. While it waits for us it may be silent: how long an upstream may take
 * is the route's business.
 */
export function endSilentClients(server: Server, { underway }: Pick<OneAtATime, 'underway'>): void {
  server.on('timeout', (socket: Socket) => {
    // Without one it is node:http's own timer, between two requests.
    const exchange = underway(socket)
    if (exchange !== undefined && !isClientsFault(exchange, socket)) {
      // The timer runs once: what is silent now may be the client's fault the next time.
      socket.setTimeout(socket.timeout ?? 0)
      return
    }
    if (exchange === undefined || exchange.response.headersSent) socket.destroy()
    else refuseRequest(exchange.response, 'server.request.timeout')
  })
}

function isClientsFault({ request, response }: Underway, socket: Socket): boolean {
  if (response.writableLength > 0 || socket.writableLength > 0) return true
  // A body that nothing reads yet, or that an upstream does not take, has been held back by us.
  const isRead = request.readableFlowing === true || request.listenerCount('readable') > 0
  return !request.complete && !response.headersSent && isRead && request.readableLength === 0
}
