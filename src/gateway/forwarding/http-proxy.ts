import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import httpProxy from 'http-proxy'
import type { ProxiedRequest } from '../request.js'
import type { Attempt } from './transport.js'

/**
 * http-proxy, as far as we use it: it makes the request and pipes a body into it, or joins the sockets. All that it reads is
 * of our making, and settled before: its events are used for nothing but to have the request to the upstream in hand before
 * a byte of it is sent.
 */
export interface HttpProxy {
  /** @param onRequest sends the body */
  request(call: ProxiedRequest, attempt: Attempt, listeners: ProxyListeners): void
  upgrade(call: ProxiedRequest, attempt: Attempt, socket: Duplex, listeners: ProxyListeners): void
}

/** Each may be called by http-proxy and by the request to the upstream: they hear of an error more than once. */
export interface ProxyListeners {
  onRequest(proxied: ClientRequest): void
  onError(error: Error): void
}

export function createProxy(): HttpProxy {
  const proxy = httpProxy.createProxyServer({ toProxy: true, prependPath: false })
  // Without a listener an error ends the process.
  proxy.on('error', () => {})
  return {
    request(call, attempt, { onRequest, onError }) {
      const { dial: target, agent } = attempt.upstream
      // It pipes the body of the request into the one that it makes: this is where we get hold of that.
      const buffer = { pipe: onRequest } as unknown as httpProxy.ServerOptions['buffer']
      const options = { target, agent, selfHandleResponse: true, ...(buffer !== undefined && { buffer }) }
      proxy.web(requestOf(call, attempt), noResponse, options, onError)
    },

    upgrade(call, attempt, socket, { onRequest, onError }) {
      let keepOurs = (): void => {}
      proxy.once('proxyReqWs', (proxied) => {
        onRequest(proxied)
        const ours = (['error', 'response'] as const).map((event) => [event, proxied.rawListeners(event)] as const)
        keepOurs = () => {
          for (const [event, listeners] of ours) {
            proxied.removeAllListeners(event)
            for (const listener of listeners) proxied.on(event, listener as () => void)
          }
        }
      })
      const { dial: target, agent } = attempt.upstream
      proxy.ws(requestOf(call, attempt), socket, Buffer.alloc(0), { target, agent }, onError)
      // Those that http-proxy has added end the browser's socket before it has an answer, and write one without its framing.
      keepOurs()
    },
  }
}

/** What http-proxy reads of a request. It gets one of our making: a real one has more to go wrong. */
interface OutgoingRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly socket: IncomingMessage['socket']
  /** It listens to errors and aborts of the browser's request; we do that ourselves. */
  on(event: string, listener: () => void): OutgoingRequest
}

function requestOf({ request }: ProxiedRequest, { upstream, url, method, headers }: Attempt): IncomingMessage {
  const outgoing: OutgoingRequest = {
    method,
    url: url.path,
    headers: { ...headers, host: upstream.host },
    socket: request.socket,
    on: () => outgoing,
  }
  return outgoing as IncomingMessage
}

/** It answers nothing: the response is relayed by the same rules as any other. */
const noResponse = { headersSent: true, finished: true } as ServerResponse
