import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { Headers } from './headers.js'
import type { RouteOptions } from './options.js'
import { Refusal } from './refusal.js'

/** The body of the client's request, on its way to one upstream request after the other. */
export interface RequestBody {
  /** What describes the body on the wire, derived anew: never two lengths, never a length and chunks. */
  readonly framing: Headers
  /** False as soon as something has been let go that a second attempt would need. */
  readonly replayable: boolean
  /** Whether all of it will fit into what is kept. */
  readonly fits: boolean
  readonly isEmpty: boolean
  /**
   * Sends what has come so far and what is still to come, with back-pressure. Only one at a time.
   * @param onTooLarge called once when the limit is passed in mid-body
   */
  sendTo(upstream: Writable, onTooLarge: (refusal: Refusal) => void): void
  /** Stops sending; what has been kept is there for the next. */
  detach(): void
  /** There will be no other attempt: what has been kept is let go. */
  settle(): void
  /** Reads and forgets the rest, so that an answer can arrive, within reason. */
  discard(): void
}

/** How much of a body nobody wants we read before we hang up: an answer is lost if we do so at once. */
const discardLimit = 1_048_576
const discardSeconds = 5

/** @throws Refusal `bff.request.malformed`, `bff.body.too_large` */
export function createRequestBody(
  request: IncomingMessage,
  response: ServerResponse,
  {
    bodyLimit: limit = Number.POSITIVE_INFINITY,
    replayLimit = 65_536,
  }: Pick<RouteOptions, 'bodyLimit' | 'replayLimit'>,
): RequestBody {
  const { 'transfer-encoding': encoding, 'content-length': length } = request.headers
  if (encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || length !== undefined))
    throw new Refusal('bff.request.malformed', 'the only transfer coding taken is "chunked", without a length')
  if (length !== undefined && !/^\d{1,15}$/.test(length))
    throw new Refusal('bff.request.malformed', 'the Content-Length is not a number')
  const announced = encoding === undefined ? Number(length ?? 0) : Number.POSITIVE_INFINITY
  if (encoding === undefined && announced > limit) throw tooLarge(limit)
  if (announced === 0) return length === undefined ? noBody : emptyBody

  const fits = announced <= replayLimit
  let kept: Buffer[] | undefined = []
  let size = 0
  let started = false
  let detach = (): void => {}

  return {
    framing: encoding === undefined ? { 'content-length': String(announced) } : { 'transfer-encoding': 'chunked' },
    fits,
    isEmpty: false,
    get replayable() {
      return kept !== undefined
    },

    sendTo(upstream, onTooLarge) {
      if (!started && request.headers.expect !== undefined) response.writeContinue()
      started = true
      for (const chunk of kept ?? []) upstream.write(chunk)
      if (request.readableEnded) {
        upstream.end()
        return
      }
      const onData = (chunk: Buffer): void => {
        size += chunk.length
        if (size > limit) {
          detach()
          onTooLarge(tooLarge(limit))
          return
        }
        if (size <= replayLimit) kept?.push(chunk)
        else kept = undefined
        if (!upstream.write(chunk)) request.pause()
      }
      const onDrain = (): void => void request.resume()
      const onEnd = (): void => void upstream.end()
      detach = () => {
        request.off('data', onData).off('end', onEnd).pause()
        upstream.off('drain', onDrain)
        detach = () => {}
      }
      upstream.on('drain', onDrain)
      request.on('data', onData).on('end', onEnd).resume()
    },

    detach: () => detach(),

    settle() {
      kept = undefined
    },

    discard() {
      detach()
      kept = undefined
      if (request.readableEnded || request.destroyed) return
      let left = discardLimit
      const hangUp = (): void => void request.destroy()
      const timer = setTimeout(hangUp, discardSeconds * 1000).unref()
      request
        .on('data', (chunk: Buffer) => {
          left -= chunk.length
          if (left < 0) hangUp()
        })
        .once('close', () => clearTimeout(timer))
        .resume()
    },
  }
}

/** What a GET has. */
export const noBody: RequestBody = {
  framing: {},
  replayable: true,
  fits: true,
  isEmpty: true,
  sendTo: (upstream) => void upstream.end(),
  detach() {},
  settle() {},
  discard() {},
}
const emptyBody: RequestBody = { ...noBody, framing: { 'content-length': '0' } }

function tooLarge(limit: number): Refusal {
  return new Refusal('bff.body.too_large', `the body may have ${limit} bytes`)
}
