import type { IncomingMessage, ServerResponse } from 'node:http'
import { developmentServerRoute } from '../page/development-server.js'
import type { Answering } from './answering.js'
import type { Forwarding } from './attempt.js'
import type { Answered } from './attempts.js'
import { type Exchange, type ForwardExchange, relayAnswer, report, reportRefused, startMeasuring } from './exchange.js'
import { createProxy } from './http-proxy.js'
import { sendOverHttp } from './http-transport.js'
import type { InFlight } from './in-flight.js'
import { sendThroughProxy } from './page-transport.js'
import { createRequestBody } from './request-body.js'
import type { OpenStreams } from './stream-limits.js'
import { startDeadline } from './timeouts.js'
import { isEventStream } from './upstream-response.js'

/**
 * Forwards a request and its response. Resolves when the exchange is over, also when either side broke it off.
 * @throws Refusal only while nothing has been sent to the browser
 */
export type ForwardRequest = (
  request: IncomingMessage,
  response: ServerResponse,
  exchange: ForwardExchange,
) => Promise<void>

export function createForwardRequest(
  answering: Answering,
  exchanges: InFlight<Exchange>,
  streams: OpenStreams,
): ForwardRequest {
  const sendPage = sendThroughProxy(createProxy())
  return async (request, response, exchange) => {
    if (response.destroyed) return
    const { route } = exchange.match
    const timeouts = answering.timeoutsOf(route)
    const measured = startMeasuring(request)
    const body = createRequestBody(request, response, route)
    const forwarding: Forwarding = {
      request,
      timeouts,
      caller: exchange.client.address,
      isGone: () => response.destroyed,
      current: undefined,
    }
    const own: Exchange = { breakOff: () => response.destroy() }
    const closed = new Promise<void>((resolve) => {
      response.once('close', () => {
        forwarding.current?.destroy()
        resolve()
      })
    })
    const stopDeadline = startDeadline(timeouts, (refusal) => {
      forwarding.current?.destroy(refusal)
      if (response.headersSent) response.destroy()
    })
    const depart = exchanges.enter(own)
    let answered: Answered | undefined
    let leaveStreams = (): void => {}
    try {
      const send = route === developmentServerRoute(exchange.frontend) ? sendPage : sendOverHttp
      answered = await answering.answer(forwarding, send, exchange, body)
      measured.answeredAt = performance.now()
      if (answered?.answer.kind === 'answered') {
        body.settle()
        const isStream = isEventStream(answered.answer.response)
        if (isStream) leaveStreams = streams.enter(exchange)
        relayAnswer(answered.answer.response, response, answered, exchange)
        if (isStream) {
          own.leave = () => {
            response.end()
            forwarding.current?.destroy()
          }
          exchange.held?.signal().addEventListener('abort', own.leave, { once: true })
        }
      }
      await closed
      if (!request.complete) body.discard()
    } catch (error) {
      forwarding.current?.destroy()
      body.discard()
      reportRefused(exchange, request, error, measured, response.headersSent ? response.statusCode : undefined)
      throw error
    } finally {
      stopDeadline()
      depart()
      leaveStreams()
      if (own.leave) exchange.held?.signal().removeEventListener('abort', own.leave)
    }
    report(exchange, request, response.headersSent ? response.statusCode : 499, measured, answered)
  }
}
