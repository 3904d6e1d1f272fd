import type { ClientRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpProxy } from './http-proxy.js'
import { followProxy } from './proxy-attempt.js'
import { upgradeResponseHeaders } from './response-headers.js'
import { publicCookie } from './set-cookie.js'
import type { Send } from './transport.js'

/** Bytes a browser may send before its upgrade is answered. It should not send any (RFC 6455 §4.1). */
const earlyLimit = 65_536

/**
 * One attempt of an upgrade. Everything is settled before http-proxy sees it.
 * @param head what came behind the request; it goes to the upstream once it has agreed
 * @param onJoin called before a byte passes between the two
 */
export function upgradeThrough(
  proxy: HttpProxy,
  socket: Duplex,
  head: Buffer,
  onJoin: (upstreamSocket: Duplex) => void,
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

  return (call, attempt) =>
    new Promise((resolve) => {
      let made: ClientRequest | undefined
      const { watch, settle, ...listeners } = followProxy(call, attempt, {
        onRequest(proxied) {
          made = proxied
          proxied.once('upgrade', (message) => {
            // http-proxy writes them all to the browser next.
            message.headers = upgradeResponseHeaders(message, (cookie) => publicCookie(cookie, attempt.upstream, call))
          })
        },
        onConnected: () => watch.onConnected('sent'),
        // What comes behind an answer is none: a 101 now would reach the browser as a second one.
        onResponse: (_message, proxied) => void proxied.removeAllListeners('upgrade'),
        onSettled: resolve,
      })
      try {
        proxy.upgrade(call, attempt, socket, listeners)
        // After http-proxy has joined them, but before a byte has passed: a listener any earlier would swallow the first.
        made?.once('upgrade', (_message, upstreamSocket) => {
          socket.off('data', onEarly).off('end', onEnd)
          for (const chunk of early) upstreamSocket.write(chunk)
          onJoin(upstreamSocket)
          settle({ kind: 'upgraded' })
        })
      } catch (cause) {
        listeners.onError(cause as Error)
      }
    })
}
