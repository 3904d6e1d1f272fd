import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { Configuration } from '../../../config/load.js'
import { channelName, type SallyportEvent } from '../../../telemetry/events.js'
import { describeAnswer, describeRequest, locationOf, threadsOf } from './description.js'
import type { Exchange, ExchangeKind, Flow, Party, Refusal } from './exchange.js'
import type { Flows, MutableFlow } from './flows.js'
import { createHttpTap, type HttpTap } from './http-tap.js'
import { listenersOf } from './kinds.js'

/** Why a message was sent, and by whom. */
export interface Cause {
  readonly from: Party
  /** Undefined: it has to be seen from what the message carries. */
  flow(): MutableFlow | undefined
  readonly isStrike?: boolean
  /** The request that is being answered is refused. */
  refused?(refusal: Refusal): void
}

export interface ObserverOptions {
  readonly configuration: Configuration
  readonly flows: Flows
  /** Told of each call of the sample API, with its secrets, for who wants to try what can be done with them. */
  readonly onApiCall?: (request: IncomingMessage) => void
}

/** Puts what the tap hears into flows. */
export function observe({
  configuration,
  flows,
  onApiCall,
}: ObserverOptions): Pick<HttpTap<Cause>, 'because' | 'close'> {
  const listeners = listenersOf(configuration)
  let lastId = 0

  const tap = createHttpTap<Cause>(({ request, port, cause }) => {
    const listener = listeners.get(port)
    if (listener === undefined) return undefined
    const id = ++lastId
    const at = Date.now()
    const from = cause?.from ?? 'browser'
    let flow: MutableFlow | undefined
    let exchange: Exchange | undefined
    /** What is known before the request's last byte, such as why it is refused. */
    let early: Partial<Exchange> = {}

    const flowFor = (kind: ExchangeKind, form: URLSearchParams): MutableFlow => {
      const threads = threadsOf(request.url ?? '', form)
      const found = cause?.flow() ?? flows.withThread(threads) ?? flows.begin(...titleOf(kind, request))
      flows.thread(found, threads)
      return found
    }
    const begin = (body: string): void => {
      if (exchange !== undefined) return
      const form = formOf(request, body)
      const kind = listener.kindOf(request.method ?? '', pathOf(request), form)
      if (kind === undefined || !isWorthShowing(kind, cause)) return
      flow ??= flowFor(kind, form)
      const described = describeRequest(request, form, at)
      exchange = {
        id,
        kind,
        from,
        to: listener.party,
        isStrike: cause?.isStrike === true,
        at,
        request: described,
        ...early,
      }
      flows.put(flow, exchange)
    }
    // What it brings about may begin before its own body has ended.
    const soon = (): MutableFlow | undefined => {
      if (flow !== undefined) return flow
      const kind = listener.kindOf(request.method ?? '', pathOf(request), new URLSearchParams())
      if (kind !== undefined) flow = flowFor(kind, new URLSearchParams())
      return flow
    }
    if (listener.party === 'api' && cause?.from === 'gateway') onApiCall?.(request)
    if (request.method === 'GET' || request.method === 'HEAD') begin('')
    const change = (more: Partial<Exchange>): void => {
      early = { ...early, ...more }
      if (exchange === undefined || flow === undefined) return
      exchange = { ...exchange, ...more }
      flows.put(flow, exchange)
    }
    return {
      cause: { from: listener.party, flow: soon, refused: (refusal) => change({ refusal }) },
      requested: begin,
      answered(answer) {
        begin('')
        if (exchange === undefined || flow === undefined) return
        flows.thread(flow, threadsOf(locationOf(answer), new URLSearchParams()))
        change({ answer: describeAnswer(exchange.kind, answer, Date.now() - at) })
      },
    }
  })

  const hear = (message: unknown): void => {
    const event = message as SallyportEvent
    switch (event.type) {
      case 'gateway.request.refused':
      case 'as.request.refused':
      case 'validator.request.refused': {
        const { code } = event
        const reason = 'reason' in event ? event.reason : undefined
        const check = 'check' in event ? event.check : undefined
        tap
          .current()
          ?.refused?.({ code, ...(reason !== undefined && { reason }), ...(check !== undefined && { check }) })
        return
      }
      default:
    }
  }
  subscribe(channelName, hear)
  return {
    because: tap.because,
    close() {
      unsubscribe(channelName, hear)
      tap.close()
    },
  }
}

/** Documents that are fetched now and then are of no flow, unless one is under way. */
function isWorthShowing(kind: ExchangeKind, cause: Cause | undefined): boolean {
  return cause !== undefined || (kind !== 'metadata' && kind !== 'keys')
}

function titleOf(kind: ExchangeKind, request: IncomingMessage): [kind: Flow['kind'], title: string] {
  switch (kind) {
    case 'login':
    case 'authorize':
      return ['login', 'Login']
    case 'logout':
      return ['logout', 'Logout']
    case 'user':
      return ['other', 'Who is signed in?']
    case 'sessions':
      return ['other', 'Sessions of this user']
    default:
      return ['call', `${request.method} ${pathOf(request)}`]
  }
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? ''
}

function formOf({ headers }: IncomingMessage, body: string): URLSearchParams {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')
  return new URLSearchParams(isForm ? body : '')
}
