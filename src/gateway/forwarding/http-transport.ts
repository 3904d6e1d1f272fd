import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { clientTimeout, watchAttempt } from './timeouts.js'
import { failureOf, type Send } from './transport.js'
import { type BodySink, headOf, skipLimit, type UpstreamResponse } from './upstream-response.js'

/**
 * One attempt over a pool of kept connections. undici gets nothing but what is settled: the headers of our making, the
 * exact path that the proof is for, and a body whose framing it derives anew. It never follows, retries or decodes.
 */
export const sendOverHttp: Send = (call, { upstream, url, method, headers, body }) =>
  new Promise((resolve) => {
    let controller: Dispatcher.DispatchController | undefined
    let response: ReceivedResponse | undefined
    let connection: 'none' | 'new' | 'kept' = 'none'
    let isOver = false
    const { timeouts } = call.route
    const watch = watchAttempt(timeouts, (refusal) =>
      destroy(response === undefined && body.isAwaited() ? clientTimeout(timeouts) : refusal),
    )

    function over(): void {
      isOver = true
      upstream.inFlight--
      watch.stop()
    }
    function failed(error: Error): void {
      if (isOver) return
      over()
      body.detach()
      if (response === undefined) resolve(failureOf(error, connection))
      else response.breakOff()
    }
    function destroy(reason?: Error): void {
      if (isOver) return
      const cause = reason ?? new Error('the caller no longer waits for it')
      // Before there is a connection undici gives nothing to hold it by: should one come, it is not used.
      if (controller === undefined) failed(cause)
      else controller.abort(cause)
    }

    headers.host = upstream.host
    if (body.length !== undefined) headers['content-length'] = String(body.length)
    upstream.inFlight++
    call.current = { destroy }
    const options: Dispatcher.DispatchOptions = {
      path: url.path,
      method: method as Dispatcher.HttpMethod,
      headers,
      body: body.isEmpty
        ? null
        : body.open({ onBytes: watch.onBytes, onSent: watch.onSent, onTooLarge: (refusal) => destroy(refusal) }),
    }
    // One that is answered before it is sent is never used again, whatever the route says: undici sees to that.
    if (!upstream.reusesConnections) options.reset = true
    upstream.pool.dispatch(options, {
      onRequestStart(started) {
        controller = started
        connection = upstream.isNewConnection() ? 'new' : 'kept'
        upstream.breaker.reached()
        if (isOver) started.abort(new Error('it has come too late'))
        else watch.onConnected(body.isEmpty ? 'sent' : 'sending')
      },
      onResponseStart(started, status, headers) {
        // Interim ones are about the request, which has all it needs.
        if (status < 200) return
        watch.onBytes()
        watch.onAnswered()
        try {
          response = receiveResponse(started, status, headers)
        } catch (refusal) {
          return destroy(refusal as Error)
        }
        resolve({ kind: 'answered', response })
      },
      onResponseData(_started, chunk) {
        watch.onBytes()
        response?.receive(chunk)
      },
      onResponseEnd(_started, trailers) {
        if (isOver) return
        over()
        response?.end(trailers)
      },
      onResponseError(_started, error) {
        failed(error)
      },
    })
  })

/** undici gives a list where a name comes more than once. */
function hasRepeats(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  for (const name in headers) if (typeof headers[name] === 'object' && name !== 'set-cookie') return true
  return false
}

/** The response, and the ends of it that only the transport holds. */
interface ReceivedResponse extends UpstreamResponse {
  receive(chunk: Buffer): void
  end(trailers: IncomingHttpHeaders): void
  breakOff(): void
}

function receiveResponse(
  controller: Dispatcher.DispatchController,
  status: number,
  headers: IncomingHttpHeaders,
): ReceivedResponse {
  const fields = textOf(controller.rawHeaders as readonly Buffer[])
  const head = hasRepeats(headers) ? headOf(fields) : undefined
  let sink: BodySink | undefined
  // Kept until its sink is set: mostly what came with the head, for that is said in the same turn.
  let early: Buffer[] = []
  let earlyBytes = 0
  let isHeld = false
  const release = (): void => {
    if (!isHeld) return
    isHeld = false
    controller.resume()
  }
  let ending: ((to: BodySink, last?: Buffer) => void) | undefined

  return {
    status,
    headers: head?.headers ?? headers,
    rawHeaders: head?.rawHeaders ?? fields,

    sendTo(to) {
      sink = to
      const kept = early
      early = []
      const [only] = kept
      if (ending !== undefined && kept.length <= 1) {
        ending(to, only)
      } else {
        let full = false
        for (const chunk of kept) full = !to.write(chunk)
        if (ending !== undefined) ending(to)
        else if (full) controller.pause()
        else release()
        if (kept.length === 0) to.wait()
      }
    },
    resume: () => controller.resume(),

    skip() {
      let left = skipLimit
      sink = {
        write(chunk) {
          left -= chunk.length
          if (left < 0) controller.abort(new Error('too long to be skipped'))
          return true
        },
        wait() {},
        end() {},
        breakOff() {},
      }
      early = []
      release()
    },

    receive(chunk) {
      if (sink !== undefined) {
        if (!sink.write(chunk)) controller.pause()
        return
      }
      early.push(chunk)
      earlyBytes += chunk.length
      if (earlyBytes < skipLimit || isHeld) return
      isHeld = true
      controller.pause()
    },
    end(trailers) {
      if (sink !== undefined) sink.end(trailers)
      else ending = (to, last) => to.end(trailers, last)
    },
    breakOff() {
      if (sink !== undefined) sink.breakOff()
      else ending = (to) => to.breakOff()
    },
  }
}

/** Header fields are bytes; what is not ASCII in them passes as it is (RFC 9110 §5.5). */
function textOf(fields: readonly Buffer[]): string[] {
  const text: string[] = new Array(fields.length)
  for (let index = 0; index < fields.length; index++) text[index] = fields[index]?.toString('latin1') ?? ''
  return text
}
