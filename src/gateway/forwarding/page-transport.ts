import type { ClientRequest } from 'node:http'
import type { HttpProxy } from './http-proxy.js'
import { followProxy } from './proxy-attempt.js'
import type { RequestBody } from './request-body.js'
import { clientTimeout, timeoutRefusal } from './timeouts.js'
import type { Send } from './transport.js'

/** One attempt of a request for a page that a development server serves, by http-proxy. */
export function sendThroughProxy(proxy: HttpProxy): Send {
  return (call, attempt) =>
    new Promise((resolve) => {
      const { body } = attempt
      const { timeouts } = call.route
      const { watch, ...listeners } = followProxy(call, attempt, {
        onRequest(proxied) {
          frame(proxied, body)
          if (body.isEmpty) proxied.end()
        },
        onConnected(proxied) {
          watch.onConnected(body.isEmpty ? 'sent' : 'sending')
          // Not before: what goes into a request that never connects is lost to the next attempt.
          if (body.isEmpty) return
          const { onBytes, onSent } = watch
          body.open({ onBytes, onSent, onTooLarge: (refusal) => proxied.destroy(refusal) }).pipe(proxied)
        },
        onResponse: (message) =>
          void message.setTimeout(timeouts.idle * 1000, () => message.destroy(timeoutRefusal('idle', timeouts))),
        reasonOf: (refusal) => (body.isAwaited() ? clientTimeout(timeouts) : refusal),
        onSettled(result) {
          if (result.kind !== 'answered') body.detach()
          resolve(result)
        },
      })
      try {
        proxy.request(call, attempt, listeners)
      } catch (cause) {
        listeners.onError(cause as Error)
      }
    })
}

/** Set anew: of the methods that seldom have a body http-proxy makes the length 0, and sends the body behind it. */
function frame(proxied: ClientRequest, { isEmpty, length }: RequestBody): void {
  proxied.removeHeader('content-length')
  proxied.removeHeader('transfer-encoding')
  if (length !== undefined) proxied.setHeader('content-length', length)
  else if (!isEmpty) proxied.setHeader('transfer-encoding', 'chunked')
}
