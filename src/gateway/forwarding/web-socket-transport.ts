import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import httpProxy from 'http-proxy'
import type { RouteMatch } from '../routing/route.js'
import { type Answer, type Attempt, type Forwarding, failureOf, type Send } from './attempt.js'
import { upgradeResponseHeaders } from './response-headers.js'
import { publicCookie } from './set-cookie.js'
import { watchAttempt } from './timeouts.js'
import { responseOf } from './upstream-response.js'

/** Bytes a browser may send before its upgrade is answered. It should not send any (RFC 6455 §4.1). */
const earlyLimit = 65_536

/** http-proxy, as far as we use it: it makes the request and joins the sockets. */
export type WebSocketProxy = (
  request: OutgoingRequest,
  socket: Duplex,
  upstream: Pick<Attempt['upstream'], 'dial' | 'agent'>,
  onRequest: (attempt: ClientRequest) => void,
  onError: (error: Error) => void,
) => void

/** What http-proxy reads of a request. It gets one of our making: a real one has more to go wrong. */
interface OutgoingRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly socket: IncomingMessage['socket']
  /** It listens to errors and aborts of the browser's request; we do that ourselves. */
  on(event: string, listener: () => void): OutgoingRequest
}

/**
 * http-proxy for nothing but making the request and joining the sockets; the request it gets is of our making. Its event
 * `proxyReqWs` is used once each time, to have the request to the upstream in hand before a byte of it is sent.
 */
export function createWebSocketProxy(): WebSocketProxy {
  const proxy = httpProxy.createProxyServer({ toProxy: true, prependPath: false })
  // Without a listener an error ends the process.
  proxy.on('error', () => {})
  return (request, socket, { dial, agent }, onRequest, onError) => {
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
    proxy.ws(request as IncomingMessage, socket, Buffer.alloc(0), { target: dial, agent }, onError)
    // Those that http-proxy has added end the browser's socket before it has an answer, and write one without its framing.
    keepOurs()
  }
}

/**
 * One attempt of an upgrade. Everything is settled before http-proxy sees it.
 * @param head what came behind the request; it goes to the upstream once it has agreed
 * @param onJoin called before a byte passes between the two
 */
export function upgradeThrough(
  proxy: WebSocketProxy,
  socket: Duplex,
  head: Buffer,
  onJoin: (upstreamSocket: Duplex) => void,
  match: RouteMatch,
): Send {
  // Only who reads a socket notices that its other end has gone.
  const early = [head]
  let size = head.length
  const onEarly = (chunk: Buffer): void => {
    size += chunk.length
    if (size > earlyLimit) socket.destroy()
    else early.push(chunk)
  }
  const onEnd = (): void => void socket.destroy()
  socket.on('data', onEarly).once('end', onEnd)

  return (forwarding, attempt) =>
    new Promise((resolve) => {
      const { settle, onRequest, onError } = follow(forwarding, attempt, resolve)
      let made: ClientRequest | undefined
      const beforeProxy = (proxied: ClientRequest): void => {
        made = proxied
        onRequest(proxied)
        proxied.once('upgrade', (message) => {
          // http-proxy writes them all to the browser next.
          message.headers = upgradeResponseHeaders(message, (cookie) => publicCookie(cookie, attempt.upstream, match))
        })
      }
      try {
        proxy(outgoingRequest(forwarding, attempt), socket, attempt.upstream, beforeProxy, onError)
        // After http-proxy has joined them, but before a byte has passed: a listener any earlier would swallow the first.
        made?.once('upgrade', (_message, upstreamSocket) => {
          socket.off('data', onEarly).off('end', onEnd)
          for (const chunk of early) upstreamSocket.write(chunk)
          onJoin(upstreamSocket)
          settle({ kind: 'upgraded' })
        })
      } catch (cause) {
        onError(cause as Error)
      }
    })
}

function outgoingRequest({ request }: Forwarding, { upstream, url, method, headers }: Attempt): OutgoingRequest {
  const outgoing: OutgoingRequest = {
    method,
    url: url.path,
    headers: { ...headers, host: upstream.host },
    socket: request.socket,
    on: () => outgoing,
  }
  return outgoing
}

function follow(forwarding: Forwarding, { upstream, url }: Attempt, resolve: (answer: Answer) => void) {
  let connection: 'none' | 'new' | 'kept' = 'none'
  const watch = watchAttempt(forwarding.timeouts, (refusal) => forwarding.current?.destroy(refusal))
  let settled = false
  const settle = (answer: Answer): void => {
    settled = true
    watch.stop()
    resolve(answer)
  }
  const onError = (error: Error): void => {
    if (!settled) settle(failureOf(error, connection))
  }
  const onRequest = (proxied: ClientRequest): void => {
    forwarding.current = proxied
    upstream.inFlight++
    // http-proxy has run it through a parser that removes repeated slashes; the proof is for this one.
    proxied.path = url.path
    const onConnected = (): void => {
      connection = proxied.reusedSocket ? 'kept' : 'new'
      upstream.breaker.reached()
      watch.onConnected('sent')
    }
    proxied
      .on('error', onError)
      .once('response', (message) => {
        // What comes behind an answer is none: a 101 now would reach the browser as a second one.
        proxied.removeAllListeners('upgrade')
        try {
          settle({ kind: 'answered', response: responseOf(message) })
        } catch (refusal) {
          proxied.destroy(refusal as Error)
        }
      })
      .once('socket', (socket) => {
        if (socket.connecting)
          socket.once(upstream.dial.protocol === 'https:' ? 'secureConnect' : 'connect', onConnected)
        else onConnected()
      })
      .once('close', () => {
        upstream.inFlight--
        // Without an error before it, as when the upstream switches protocols unasked.
        onError(new Error('closed without an answer'))
      })
  }
  return { settle, onRequest, onError }
}
