import { inSpan } from '../../telemetry/spans.js'
import { writeTrace } from '../../telemetry/trace.js'
import { Refusal } from '../refusal.js'
import type { ProxiedRequest } from '../request.js'
import type { Headers } from './headers.js'
import type { RequestBody } from './request-body.js'
import type { CalledUrl, Upstream } from './upstream.js'
import type { UpstreamResponse } from './upstream-response.js'

/** One request to one upstream. */
export interface Attempt {
  readonly upstream: Upstream
  readonly url: CalledUrl
  readonly method: string
  /** Settled, and ours to write to: `Host` and the framing of the body are added. */
  readonly headers: Headers
  readonly body: RequestBody
}

/** How an attempt ended. */
export type TransportResult =
  | { readonly kind: 'answered'; readonly response: UpstreamResponse }
  /** 101: both sockets are joined from now on. */
  | { readonly kind: 'upgraded' }
  /** There never was a connection, so nothing can have been done. */
  | { readonly kind: 'unreached'; readonly refusal: Refusal }
  /** A kept connection had been closed at the other end before we used it (RFC 9112 §9.3.1), or just then. */
  | { readonly kind: 'stale'; readonly request: 'unsent' | 'sent'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly refusal: Refusal }

/** Makes one attempt. What is under way is the call's `current`, so that it ends with the call. */
export type Send = (call: ProxiedRequest, attempt: Attempt) => Promise<TransportResult>

/** With a span for each attempt, which is what the upstream's own spans are in. */
export function traced(send: Send): Send {
  return (call, attempt) =>
    inSpan(
      call.request,
      'upstream',
      (trace) => {
        writeTrace(attempt.headers, trace)
        return send(call, attempt)
      },
      () => ({
        'http.request.method': attempt.method,
        'url.full': attempt.url.origin + attempt.url.pathname,
        'server.address': attempt.upstream.host,
      }),
    )
}

/** What went wrong, without the addresses and names that an error of the network holds. */
export function failureOf(error: NodeJS.ErrnoException, connection: 'none' | 'new' | 'kept'): TransportResult {
  if (error instanceof Refusal) return { kind: connection === 'none' ? 'unreached' : 'failed', refusal: error }
  if (connection === 'none') {
    const refusal = new Refusal('bff.upstream.unreachable', 'the upstream cannot be reached', { cause: error })
    // Of a connection that stood, and died with the request waiting for its turn.
    const hasDied = error.syscall === 'read' || error.syscall === 'write'
    return hasDied ? { kind: 'stale', request: 'unsent', refusal } : { kind: 'unreached', refusal }
  }
  if (isNotHttp(error)) {
    const refusal = new Refusal('bff.upstream.invalid_response', 'the upstream does not speak HTTP/1.1', {
      cause: error,
    })
    return { kind: 'failed', refusal }
  }
  const refusal = new Refusal('bff.upstream.broke_off', 'the upstream broke the connection off', { cause: error })
  return connection === 'kept' ? { kind: 'stale', request: 'sent', refusal } : { kind: 'failed', refusal }
}

/** Codes of node:http's parser, of node:http itself and of undici, whose `UND_ERR_SOCKET` is both of two things. */
function isNotHttp({ code = '', message }: NodeJS.ErrnoException): boolean {
  if (code === 'UND_ERR_SOCKET') return message.startsWith('bad ')
  return /^(?:HPE_|ERR_|UND_ERR_)/.test(code)
}
