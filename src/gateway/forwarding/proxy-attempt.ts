import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Refusal } from '../refusal.js'
import type { ProxiedRequest } from '../request.js'
import type { ProxyListeners } from './http-proxy.js'
import { type Watch, watchAttempt } from './timeouts.js'
import { type Attempt, failureOf, type TransportResult } from './transport.js'
import { responseOf } from './upstream-response.js'

/** An attempt that http-proxy makes, from its request to the one answer that it gets. */
export interface ProxyAttempt extends ProxyListeners {
  readonly watch: Watch
  settle(result: TransportResult): void
}

export interface ProxyAttemptOptions {
  /** With the request to the upstream in hand, before a byte of it is sent. */
  readonly onRequest: (proxied: ClientRequest) => void
  readonly onConnected: (proxied: ClientRequest) => void
  /** An answer that is no upgrade. */
  readonly onResponse: (message: IncomingMessage, proxied: ClientRequest) => void
  /** Why it is given up when a time has run out. Default: because of that. */
  readonly reasonOf?: (refusal: Refusal) => Refusal
  readonly onSettled: (result: TransportResult) => void
}

export function followProxy(
  call: ProxiedRequest,
  { upstream, url }: Attempt,
  { onRequest, onConnected, onResponse, reasonOf = (refusal) => refusal, onSettled }: ProxyAttemptOptions,
): ProxyAttempt {
  let connection: 'none' | 'new' | 'kept' = 'none'
  let isSettled = false
  const watch = watchAttempt(call.route.timeouts, (refusal) => call.current?.destroy(reasonOf(refusal)))
  const settle = (result: TransportResult): void => {
    if (isSettled) return
    isSettled = true
    watch.stop()
    onSettled(result)
  }
  const onError = (error: Error): void => settle(failureOf(error, connection))

  return {
    watch,
    settle,
    onError,

    onRequest(proxied) {
      call.current = proxied
      upstream.inFlight++
      // http-proxy has run it through a parser that removes repeated slashes; the proof is for this one.
      proxied.path = url.path
      const connected = (): void => {
        connection = proxied.reusedSocket ? 'kept' : 'new'
        upstream.breaker.reached()
        onConnected(proxied)
      }
      proxied
        .on('error', onError)
        .once('response', (message) => {
          onResponse(message, proxied)
          try {
            settle({ kind: 'answered', response: responseOf(message) })
          } catch (refusal) {
            proxied.destroy(refusal as Error)
          }
        })
        .once('socket', (socket) => {
          if (socket.connecting)
            socket.once(upstream.dial.protocol === 'https:' ? 'secureConnect' : 'connect', connected)
          else connected()
        })
        .once('close', () => {
          upstream.inFlight--
          // Without an error before it, as when the upstream switches protocols unasked.
          onError(new Error('closed without an answer'))
        })
      onRequest(proxied)
    },
  }
}
