import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Headers, upgradeResponseHeaders } from './headers.js'
import { Refusal } from './refusal.js'
import type { RequestBody } from './request-body.js'
import { type Timeouts, type Watch, watchAttempt } from './timeouts.js'
import type { CalledUrl, Upstream } from './upstream.js'

/** A browser's request while it is being forwarded. */
export interface Forwarding {
  readonly request: IncomingMessage
  readonly timeouts: Timeouts
  /** Whether the browser went away: then nothing is started any more. */
  isGone(): boolean
  /** What is under way at the moment: ended when the browser goes away. */
  current: ClientRequest | undefined
}

export interface Attempt {
  readonly upstream: Upstream
  readonly url: CalledUrl
  readonly method: string
  /** Settled, and ours to write to: `Host` and the framing of the body are added. */
  readonly headers: Headers
  readonly body: RequestBody
}

/** How an attempt ended. */
export type Answer =
  | { readonly kind: 'answered'; readonly message: IncomingMessage }
  /** 101: both sockets are joined from now on. */
  | { readonly kind: 'upgraded' }
  /** There never was a connection, so nothing can have been done. */
  | { readonly kind: 'unreached'; readonly refusal: Refusal }
  /** A kept connection had been closed at the other end before we used it. */
  | { readonly kind: 'stale'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly refusal: Refusal }

export type Send = (forwarding: Forwarding, attempt: Attempt) => Promise<Answer>

/** What http-proxy reads of a request. It gets one of our making: a real one costs more, and has more to go wrong. */
export interface OutgoingRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly socket: IncomingMessage['socket']
  /** It listens to errors and aborts of the browser's request; we do that ourselves. */
  on(event: string, listener: () => void): OutgoingRequest
}

/** What http-proxy takes for a body: it pipes it into its request, and that is where we come in. */
export interface BodySource {
  pipe(proxied: ClientRequest): ClientRequest
}

/** What we use of http-proxy: the pass that makes the request, for both kinds. */
export interface HttpProxy {
  /** Pipes `source` into the request it makes. */
  web(
    request: OutgoingRequest,
    response: ServerResponse,
    options: DialOptions & { readonly source: BodySource },
    onError: (error: Error) => void,
  ): void
  /** Shows the request it makes to `onRequest`, and listens to nothing of it but the upgrade. */
  upgrade(
    request: OutgoingRequest,
    socket: Duplex,
    head: Buffer,
    options: DialOptions & { readonly onRequest: (attempt: ClientRequest) => void },
    onError: (error: Error) => void,
  ): void
}

interface DialOptions {
  readonly dial: Upstream['dial']
  readonly agent: Upstream['agent']
}

/**
 * One attempt, one answer. Everything is settled before http-proxy sees it: it gets a request of our making that holds
 * nothing of the browser's but what may go upstream, and hands us its own request before a byte of it is sent.
 */
export function sendThrough(proxy: HttpProxy, response: ServerResponse): Send {
  return (forwarding, attempt) =>
    new Promise((resolve) => {
      const { upstream, body } = attempt
      const { onRequest, onError } = follow(forwarding, attempt, resolve)
      const source: BodySource = {
        pipe(proxied) {
          onRequest(proxied)
          body.sendTo(proxied, (refusal) => proxied.destroy(refusal))
          return proxied
        },
      }
      try {
        const { dial, agent } = upstream
        proxy.web(outgoingRequest(forwarding, attempt), response, { dial, agent, source }, onError)
      } catch (cause) {
        onError(cause as Error)
      }
    })
}

/** Bytes a browser may send before its upgrade is answered. It should not send any (RFC 6455 §4.1). */
const earlyLimit = 65_536

/**
 * The same for a WebSocket.
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

  return (forwarding, attempt) =>
    new Promise((resolve) => {
      const { settle, onRequest, onError } = follow(forwarding, attempt, resolve)
      const { dial, agent } = attempt.upstream
      const beforeProxy = (proxied: ClientRequest): void => {
        onRequest(proxied)
        proxied.once('upgrade', (message) => {
          // http-proxy writes them all to the browser next.
          message.headers = upgradeResponseHeaders(message)
        })
      }
      try {
        const options = { dial, agent, onRequest: beforeProxy }
        proxy.upgrade(outgoingRequest(forwarding, attempt), socket, Buffer.alloc(0), options, onError)
        // After http-proxy has joined them, but before a byte has passed: a listener any earlier would swallow the first.
        forwarding.current?.once('upgrade', (_message, upstreamSocket) => {
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

function outgoingRequest({ request }: Forwarding, { upstream, url, method, headers, body }: Attempt): OutgoingRequest {
  headers.host = upstream.host
  const outgoing: OutgoingRequest = {
    method,
    url: url.path,
    headers: Object.assign(headers, body.framing),
    socket: request.socket,
    on: () => outgoing,
  }
  return outgoing
}

function follow(forwarding: Forwarding, { upstream, url, body }: Attempt, resolve: (answer: Answer) => void) {
  let watch: Watch | undefined
  let settled = false
  const settle = (answer: Answer): void => {
    settled = true
    watch?.stop()
    resolve(answer)
  }
  const onError = (error: Error): void => {
    body.detach()
    if (settled) return
    settle(failureOf(error, watch?.connected ?? false, forwarding.current?.reusedSocket ?? false))
  }
  const onRequest = (proxied: ClientRequest): void => {
    forwarding.current = proxied
    upstream.inFlight++
    // http-proxy has run it through a parser that removes repeated slashes; the proof is for this one.
    proxied.path = url.path
    proxied
      .on('error', onError)
      .once('response', (message) => settle({ kind: 'answered', message }))
      .once('close', () => {
        upstream.inFlight--
        // Without an error before it, as when the upstream switches protocols unasked.
        onError(new Error('closed without an answer'))
      })
    watch = watchAttempt(proxied, forwarding.timeouts, upstream.dial.protocol === 'https:', !body.isEmpty)
  }
  return { settle, onRequest, onError }
}

/** What went wrong, without the addresses and names that an error of the network holds. */
function failureOf(error: Error, connected: boolean, reused: boolean): Answer {
  if (error instanceof Refusal) return { kind: connected ? 'failed' : 'unreached', refusal: error }
  if (!connected) {
    const refusal = new Refusal('bff.upstream.unreachable', 'the upstream cannot be reached', { cause: error })
    return { kind: 'unreached', refusal }
  }
  const { code = '' } = error as NodeJS.ErrnoException
  if (code.startsWith('HPE_') || code.startsWith('ERR_')) {
    const refusal = new Refusal('bff.upstream.invalid_response', 'the upstream does not speak HTTP/1.1', {
      cause: error,
    })
    return { kind: 'failed', refusal }
  }
  const refusal = new Refusal('bff.upstream.broke_off', 'the upstream broke the connection off', { cause: error })
  return { kind: reused ? 'stale' : 'failed', refusal }
}
