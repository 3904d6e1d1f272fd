import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { routeDefaults } from '../defaults.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions } from '../route-options.js'

/** The body of the client's request, on its way to one upstream request after the other. */
export interface RequestBody {
  /** Bytes on the wire; undefined when there is no body or its end is not known: then it goes in chunks. */
  readonly length: number | undefined
  /** False as soon as something has been let go that a second attempt would need. */
  isReplayable(): boolean
  /** Whether all of it will fit into what is kept. */
  readonly fits: boolean
  readonly isEmpty: boolean
  /** Whether the last attempt has taken all of it. */
  isSent(): boolean
  /** Whether more of it is wanted than the client has sent. */
  isAwaited(): boolean
  /** What has come so far and what is still to come, with back-pressure. Only one at a time. */
  open(listeners: BodyListeners): Readable
  /** Stops sending; what has been kept is there for the next. */
  detach(): void
  /** There will be no other attempt: what has been kept is let go. */
  settle(): void
  /** Reads and forgets the rest, so that an answer can arrive, within reason. */
  discard(): void
}

export interface BodyListeners {
  onBytes(): void
  onSent(): void
  /** Called once when the limit is passed in mid-body. */
  onTooLarge(refusal: Refusal): void
}

/** How much of an unwanted body we read before we hang up: an answer is lost if we do so at once. */
const discardLimit = 1_048_576
const discardSeconds = 5
/** Bytes on their way between the two connections before the browser has to wait. */
const windowSize = 65_536

/** @throws Refusal `bff.request.malformed`, `bff.body.too_large` */
export function createRequestBody(
  request: IncomingMessage,
  response: ServerResponse,
  {
    bodyLimit: limit = Number.POSITIVE_INFINITY,
    replayLimit = routeDefaults.replayLimit,
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
  let isSent = false
  let current: Readable | undefined
  let stopFollowing = (): void => {}
  const detach = (): void => {
    stopFollowing()
    current = undefined
  }

  const follow = (stream: Readable, { onBytes, onSent, onTooLarge }: BodyListeners): void => {
    if (!started && request.headers.expect !== undefined) response.writeContinue()
    started = true
    for (const chunk of kept ?? []) stream.push(chunk)
    const onEnd = (): void => {
      isSent = true
      stream.push(null)
      onSent()
    }
    if (request.readableEnded) {
      onEnd()
      return
    }
    const onData = (chunk: Buffer): void => {
      onBytes()
      size += chunk.length
      if (size > limit) {
        detach()
        onTooLarge(tooLarge(limit))
        return
      }
      if (size <= replayLimit) kept?.push(chunk)
      else kept = undefined
      if (!stream.push(chunk)) request.pause()
    }
    stopFollowing = () => {
      request.off('data', onData).off('end', onEnd).pause()
      stopFollowing = () => {}
    }
    request.on('data', onData).on('end', onEnd)
  }

  return {
    length: encoding === undefined ? announced : undefined,
    fits,
    isEmpty: false,
    isSent: () => isSent,
    isAwaited: () => current !== undefined && started && !isSent && !request.isPaused(),
    isReplayable: () => kept !== undefined,

    open(listeners) {
      detach()
      isSent = false
      let isFollowing = false
      const stream = new Readable({
        highWaterMark: windowSize,
        read() {
          // An attempt given up while it was connecting takes nothing from the one that came after it.
          if (current !== stream) return
          // The first read means that there is a connection: not before then is the browser told to go on.
          if (!isFollowing) follow(stream, listeners)
          isFollowing = true
          if (!isSent) request.resume()
        },
      })
      current = stream
      return stream
    },

    detach,

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
  length: undefined,
  isReplayable: () => true,
  fits: true,
  isEmpty: true,
  isSent: () => true,
  isAwaited: () => false,
  open: () => Readable.from([]),
  detach() {},
  settle() {},
  discard() {},
}
const emptyBody: RequestBody = { ...noBody, length: 0 }

function tooLarge(limit: number): Refusal {
  return new Refusal('bff.body.too_large', `the body may have ${limit} bytes`)
}
