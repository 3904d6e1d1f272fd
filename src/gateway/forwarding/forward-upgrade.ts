import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isWebSocketUpgrade } from '../../http/upgrade.js'
import { webSocketDefaults } from '../defaults.js'
import { Refusal } from '../refusal.js'
import type { Answering } from './answering.js'
import type { Forwarding } from './attempt.js'
import type { Answered } from './attempts.js'
import { type Exchange, type ForwardExchange, relayAnswer, report, reportRefused, startMeasuring } from './exchange.js'
import { createProxy } from './http-proxy.js'
import type { InFlight } from './in-flight.js'
import { noBody } from './request-body.js'
import type { OpenStreams } from './stream-limits.js'
import { watchWebSocket } from './web-socket.js'
import { upgradeThrough } from './web-socket-transport.js'

/**
 * Forwards a request for a WebSocket and joins both sides. Resolves when they have parted. The caller listens to the
 * socket's errors before it does anything else.
 * @throws Refusal only while nothing has been sent to the browser
 */
export type ForwardUpgrade = (
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  exchange: ForwardExchange,
) => Promise<void>

const upgradeHeaders = { connection: 'Upgrade', upgrade: 'websocket' }

export function createForwardUpgrade(
  answering: Answering,
  exchanges: InFlight<Exchange>,
  streams: OpenStreams,
): ForwardUpgrade {
  const proxy = createProxy()
  return async (request, socket, head, exchange) => {
    if (socket.destroyed) return
    assertWebSocket(request)
    const { route } = exchange.match
    const timeouts = answering.timeoutsOf(route)
    const measured = startMeasuring(request)
    const forwarding: Forwarding = {
      request,
      timeouts,
      caller: exchange.client.address,
      isGone: () => socket.destroyed,
      current: undefined,
    }
    const own: Exchange = { breakOff: () => socket.destroy() }
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        forwarding.current?.destroy()
        resolve()
      })
    })
    const leaveStreams = streams.enter(exchange)
    const depart = exchanges.enter(own)
    let answered: Answered | undefined
    let onSessionEnd = (): void => {}
    try {
      const send = upgradeThrough(
        proxy,
        socket,
        head,
        (upstreamSocket) => {
          const { pingInterval = webSocketDefaults.pingInterval } = route.webSocket ?? {}
          const link = watchWebSocket(socket, upstreamSocket, { pingInterval, idle: timeouts.idle })
          own.leave = () => link.close(1001, 'going away')
          onSessionEnd = () => link.close(4401, 'the session has ended')
          if (exchange.held?.signal().aborted) onSessionEnd()
          exchange.held?.signal().addEventListener('abort', onSessionEnd, { once: true })
        },
        exchange.match,
      )
      answered = await answering.answer(forwarding, send, exchange, noBody, upgradeHeaders)
      measured.answeredAt = performance.now()
      if (answered?.answer.kind === 'answered') {
        const response = new ServerResponse(request)
        response.assignSocket(socket)
        response.shouldKeepAlive = false
        response.once('finish', () => socket.destroySoon())
        // node:http watches it no longer.
        socket.setTimeout(timeouts.idle * 1000, () => socket.destroy())
        relayAnswer(answered.answer.response, response, answered, exchange)
      }
      await closed
    } catch (error) {
      forwarding.current?.destroy()
      reportRefused(exchange, request, error, measured)
      throw error
    } finally {
      depart()
      leaveStreams()
      exchange.held?.signal().removeEventListener('abort', onSessionEnd)
    }
    report(exchange, request, statusOf(answered), measured, answered)
  }
}

/** @throws Refusal `bff.request.malformed`: behind a body a browser could speak past us. */
function assertWebSocket(request: IncomingMessage): void {
  const { headers } = request
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0
  if (!isWebSocketUpgrade(request) || hasBody)
    throw new Refusal('bff.request.malformed', 'the only upgrade is a GET without a body to WebSocket')
}

function statusOf(answered: Answered | undefined): number {
  switch (answered?.answer.kind) {
    case undefined:
      return 499
    case 'upgraded':
      return 101
    case 'answered':
      return answered.answer.response.status
  }
}
