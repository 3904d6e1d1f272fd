import { ClientRequest, IncomingMessage, type ServerResponse } from 'node:http'
import { Stream } from 'node:stream'
import type { Headers } from './headers.js'
import { Refusal } from './refusal.js'
import type { RequestBody } from './request-body.js'
import { type Timeouts, type Watch, watchAttempt } from './timeouts.js'
import type { Upstream } from './upstream.js'

/** A browser's request while it is being forwarded. */
export interface Forwarding {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly timeouts: Timeouts
  /** What is under way at the moment: ended when the browser goes away. */
  current: ClientRequest | undefined
}

export interface Attempt {
  readonly upstream: Upstream
  readonly url: URL
  readonly method: string
  /** Settled: nothing is added to them but `Host` and the framing of the body. */
  readonly headers: Headers
  readonly body: RequestBody
}

/** How an attempt ended. */
export type Answer =
  | { readonly kind: 'answered'; readonly message: IncomingMessage }
  /** There never was a connection, so nothing can have been done. */
  | { readonly kind: 'unreached'; readonly refusal: Refusal }
  /** A kept connection had been closed at the other end before we used it. */
  | { readonly kind: 'stale'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly refusal: Refusal }

export type Send = (forwarding: Forwarding, attempt: Attempt) => Promise<Answer>

/** What we use of http-proxy: its `stream` pass, which makes the request and hands it to `buffer.pipe`. */
export type ForwardWeb = (
  request: IncomingMessage,
  response: ServerResponse,
  options: { target: Upstream['dial']; agent: Upstream['agent']; buffer: Stream },
  onError: (error: Error) => void,
) => void

/**
 * One attempt, one answer. Everything is settled before http-proxy sees it: it gets a request of our making that holds
 * nothing of the browser's but what may go upstream, and hands us its own request before a byte of it is sent.
 */
export function createTransport(forwardWeb: ForwardWeb): Send {
  return (forwarding, { upstream, url, method, headers, body }) =>
    new Promise((resolve) => {
      const outgoing = new IncomingMessage(forwarding.request.socket)
      const path = url.pathname + url.search
      outgoing.method = method
      outgoing.url = path
      outgoing.headers = { ...headers, ...body.framing, host: upstream.host }

      let watch: Watch | undefined
      const settle = (answer: Answer): void => {
        watch?.stop()
        resolve(answer)
      }
      const onError = (error: Error): void => {
        body.detach()
        settle(failureOf(error, watch?.connected ?? false, forwarding.current?.reusedSocket ?? false))
      }
      const source = bodySource((attempt) => {
        forwarding.current = attempt
        upstream.inFlight++
        // http-proxy has run it through a parser that removes repeated slashes; the proof is for this one.
        attempt.path = path
        attempt
          .on('error', onError)
          .once('response', (message) => settle({ kind: 'answered', message }))
          .once('close', () => upstream.inFlight--)
        watch = watchAttempt(attempt, forwarding.timeouts, upstream.dial.protocol === 'https:', !body.isEmpty)
        body.sendTo(attempt, (refusal) => attempt.destroy(refusal))
      })
      try {
        forwardWeb(
          outgoing,
          forwarding.response,
          { target: upstream.dial, agent: upstream.agent, buffer: source },
          onError,
        )
      } catch (cause) {
        onError(cause as Error)
      }
    })
}

/** What http-proxy takes for the body: it pipes it into its request, and that is where we come in. */
function bodySource(onRequest: (attempt: ClientRequest) => void): Stream {
  return Object.assign(new Stream(), {
    pipe<Destination extends NodeJS.WritableStream>(destination: Destination): Destination {
      if (destination instanceof ClientRequest) onRequest(destination)
      return destination
    },
  })
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
