import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { StreamLimits } from '../limits/limit-options.js'
import type { ProxiedRequest } from '../request.js'
import { assertNotDemanded } from '../step-up/demanded.js'
import { createAuthorize, createNonceMemory } from './dpop.js'
import { createProxy } from './http-proxy.js'
import { sendOverHttp } from './http-transport.js'
import { createInFlight, type Ending, type InFlight } from './in-flight.js'
import { sendThroughProxy } from './page-transport.js'
import { relayAnswer } from './relay.js'
import { report, reportRefused } from './report.js'
import { createRequestBody } from './request-body.js'
import { requestHeaders } from './request-headers.js'
import { type Answered, type Proofs, sendUntilAnswered } from './retry.js'
import { createOpenStreams, type OpenStreams } from './stream-limits.js'
import { startDeadline } from './timeouts.js'
import { traced } from './transport.js'
import { createUpgrade } from './upgrade.js'
import { isEventStream } from './upstream-response.js'

/** Everything between a request that has passed every step and its upstream. */
export interface Forwarder {
  /**
   * Forwards a request and its response. Resolves when the exchange is over, also when either side broke it off.
   * @throws Refusal only while nothing has been sent to the browser
   */
  forward(call: ProxiedRequest, response: ServerResponse): Promise<void>
  /**
   * Forwards a request for a WebSocket and joins both sides. Resolves when they have parted. The caller listens to the
   * socket's errors before it does anything else.
   * @throws Refusal only while nothing has been sent to the browser
   */
  upgrade(call: ProxiedRequest, socket: Socket, head: Buffer): Promise<void>
  /**
   * Ends WebSockets and event streams, waits for what is under way, and breaks off what has not ended after `seconds`.
   * @param isMeant Which frontends this is about. Default: all.
   */
  drain(seconds: number, isMeant?: (frontend: object) => boolean): Promise<void>
}

export function createForwarder(limits?: StreamLimits): Forwarder {
  const proofs = { authorize: createAuthorize(), nonces: createNonceMemory() }
  const inFlight = createInFlight<Ending>()
  const streams = createOpenStreams(limits)
  return {
    forward: createForward(proofs, inFlight, streams),
    upgrade: createUpgrade(proofs, inFlight, streams),

    async drain(seconds, isMeant = () => true) {
      const left = (): readonly Ending[] => inFlight.all().filter(({ frontend }) => isMeant(frontend))
      for (const { leave } of left()) leave?.()
      const limit = performance.now() + seconds * 1000
      while (left().length > 0 && performance.now() < limit) await setTimeout(Math.min(50, seconds * 1000))
      for (const { breakOff } of left()) breakOff()
    },
  }
}

function createForward(proofs: Proofs, inFlight: InFlight<Ending>, streams: OpenStreams): Forwarder['forward'] {
  const sendPage = traced(sendThroughProxy(createProxy()))
  const sendCall = traced(sendOverHttp)
  return async (call, response) => {
    if (response.destroyed) return
    const { request, route, times } = call
    times.forwarded = performance.now()
    const body = createRequestBody(request, response, route)
    const ending: Ending = { frontend: call.frontend, breakOff: () => response.destroy() }
    const closed = new Promise<void>((resolve) => {
      // It closes once, and `once` would cost a listener more.
      response.on('close', () => {
        call.current?.destroy()
        resolve()
      })
    })
    const stopDeadline = startDeadline(route.timeouts, (refusal) => {
      call.current?.destroy(refusal)
      if (response.headersSent) response.destroy()
    })
    const depart = inFlight.enter(ending)
    let answered: Answered | undefined
    let leaveStreams = (): void => {}
    try {
      const send = call.kind === 'page' ? sendPage : sendCall
      answered = await sendUntilAnswered(call, { headers: requestHeaders(call), body, send }, proofs)
      if (answered?.result.kind === 'answered') {
        if (answered.result.response.status === 401) assertNotDemanded(call, answered.result.response)
        body.settle()
        const isStream = isEventStream(answered.result.response)
        if (isStream) leaveStreams = streams.enter(call)
        relayAnswer(call, answered, answered.result.response, response)
        if (isStream) {
          ending.leave = () => {
            response.end()
            call.current?.destroy()
          }
          call.held?.signal().addEventListener('abort', ending.leave, { once: true })
        }
      }
      await closed
      if (!request.complete) body.discard()
    } catch (error) {
      call.current?.destroy()
      body.discard()
      reportRefused(call, error, response.headersSent ? response.statusCode : undefined)
      throw error
    } finally {
      stopDeadline()
      depart()
      leaveStreams()
      if (ending.leave) call.held?.signal().removeEventListener('abort', ending.leave)
    }
    report(call, response.headersSent ? response.statusCode : 499, answered?.attempts ?? 0)
  }
}
