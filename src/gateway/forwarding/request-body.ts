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

  const received = createReceived(replayLimit)
  let state: Sending = { kind: 'idle' }
  let expectsContinue = request.headers.expect !== undefined

  const detach = (): void => {
    if (state.kind === 'following') state.stop()
    if (state.kind !== 'sent') state = { kind: 'idle' }
  }

  const follow = (stream: Readable, { onBytes, onSent, onTooLarge }: BodyListeners): void => {
    if (expectsContinue) response.writeContinue()
    expectsContinue = false
    for (const chunk of received.kept() ?? []) stream.push(chunk)
    const onEnd = (): void => {
      state = { kind: 'sent' }
      stream.push(null)
      onSent()
    }
    const onData = (chunk: Buffer): void => {
      onBytes()
      if (received.add(chunk) > limit) {
        detach()
        onTooLarge(tooLarge(limit))
      } else if (!stream.push(chunk)) request.pause()
    }
    if (request.readableEnded) {
      onEnd()
      return
    }
    state = { kind: 'following', stream, stop: () => request.off('data', onData).off('end', onEnd).pause() }
    request.on('data', onData).on('end', onEnd)
  }

  return {
    length: encoding === undefined ? announced : undefined,
    fits: announced <= replayLimit,
    isEmpty: false,
    isSent: () => state.kind === 'sent',
    isAwaited: () => state.kind === 'following' && !request.isPaused(),
    isReplayable: () => received.kept() !== undefined,

    open(listeners) {
      detach()
      const stream = new Readable({
        highWaterMark: windowSize,
        read() {
          // An attempt given up while it was connecting takes nothing from the one that came after it.
          if (!isAt(state, stream)) return
          // The first read means that there is a connection: not before then is the browser told to go on.
          if (state.kind === 'offered') follow(stream, listeners)
          if (state.kind === 'following') request.resume()
        },
      })
      state = { kind: 'offered', stream }
      return stream
    },

    detach,
    settle: received.release,

    discard() {
      detach()
      received.release()
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

/** The body on its way to one attempt. */
type Sending =
  | { readonly kind: 'idle' }
  /** There is no connection that it could go to yet. */
  | { readonly kind: 'offered'; readonly stream: Readable }
  | { readonly kind: 'following'; readonly stream: Readable; readonly stop: () => unknown }
  | { readonly kind: 'sent' }

function isAt(state: Sending, stream: Readable): boolean {
  return 'stream' in state && state.stream === stream
}

/** What has come, kept for another attempt as long as it is no more than `replayLimit`: all of it or nothing. */
function createReceived(replayLimit: number) {
  let kept: Buffer[] | undefined = []
  let size = 0
  return {
    kept: (): readonly Buffer[] | undefined => kept,
    /** @returns the bytes of all chunks */
    add(chunk: Buffer): number {
      size += chunk.length
      if (size <= replayLimit) kept?.push(chunk)
      else kept = undefined
      return size
    },
    release(): void {
      kept = undefined
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
