import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { isWebSocketUpgrade } from '../../http/upgrade.js'
import { webSocketDefaults } from '../defaults.js'
import { Refusal } from '../refusal.js'
import type { ProxiedRequest } from '../request.js'
import type { Parting } from '../session/session-watch.js'
import { assertNotDemanded } from '../step-up/demanded.js'
import { createProxy } from './http-proxy.js'
import type { Ending, InFlight } from './in-flight.js'
import { relayAnswer } from './relay.js'
import { report, reportRefused } from './report.js'
import { noBody } from './request-body.js'
import { requestHeaders } from './request-headers.js'
import { type Answered, type Proofs, sendUntilAnswered } from './retry.js'
import type { OpenStreams } from './stream-limits.js'
import { traced } from './transport.js'
import { watchWebSocket } from './web-socket-link.js'
import { upgradeThrough } from './web-socket-transport.js'

/** @see Forwarder.upgrade */
export function createUpgrade(proofs: Proofs, inFlight: InFlight<Ending>, streams: OpenStreams) {
  const proxy = createProxy()
  return async (call: ProxiedRequest, socket: Socket, head: Buffer): Promise<void> => {
    if (socket.destroyed) return
    const { request, route, times, held } = call
    assertWebSocket(request)
    times.forwarded = performance.now()
    const ending: Ending = { frontend: call.frontend, breakOff: () => socket.destroy() }
    const closed = new Promise<void>((resolve) => {
      socket.once('close', () => {
        call.current?.destroy()
        resolve()
      })
    })
    const leaveStreams = streams.enter(call)
    const depart = inFlight.enter(ending)
    let answered: Answered | undefined
    let onSessionEnd = (): void => {}
    try {
      const send = upgradeThrough(proxy, socket, head, (upstreamSocket) => {
        const { pingInterval = webSocketDefaults.pingInterval } = route.webSocket ?? {}
        const link = watchWebSocket(socket, upstreamSocket, { pingInterval, idle: route.timeouts.idle })
        ending.leave = () => link.close(1001, 'going away')
        onSessionEnd = () => {
          if (held?.signal().reason === ('access lost' satisfies Parting)) link.close(4403, 'access has ended')
          else link.close(4401, 'the session has ended')
        }
        if (held?.signal().aborted) onSessionEnd()
        held?.signal().addEventListener('abort', onSessionEnd, { once: true })
      })
      const headers = Object.assign(requestHeaders(call), { connection: 'Upgrade', upgrade: 'websocket' })
      answered = await sendUntilAnswered(call, { headers, body: noBody, send: traced(send) }, proofs)
      if (answered?.result.kind === 'answered') {
        if (answered.result.response.status === 401) assertNotDemanded(call, answered.result.response)
        const response = new ServerResponse(request)
        response.assignSocket(socket)
        response.shouldKeepAlive = false
        response.once('finish', () => socket.destroySoon())
        // node:http watches it no longer.
        socket.setTimeout(route.timeouts.idle * 1000, () => socket.destroy())
        relayAnswer(call, answered, answered.result.response, response)
      }
      await closed
    } catch (error) {
      call.current?.destroy()
      reportRefused(call, error)
      throw error
    } finally {
      depart()
      leaveStreams()
      held?.signal().removeEventListener('abort', onSessionEnd)
    }
    report(call, statusOf(answered), answered?.attempts ?? 0)
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
  switch (answered?.result.kind) {
    case undefined:
      return 499
    case 'upgraded':
      return 101
    case 'answered':
      return answered.result.response.status
  }
}
