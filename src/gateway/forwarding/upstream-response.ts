import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Refusal } from '../refusal.js'

/** The response of an upstream, whichever transport brought it: the head now, the body as it comes. */
export interface UpstreamResponse {
  readonly status: number
  /** By name in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[]
  /** Hands over what has come of the body, and then what comes. */
  sendTo(sink: BodySink): void
  /** A sink that was full can take more. */
  resume(): void
  /** Reads and drops the body, so that its connection can be used again; a long one is not worth that. */
  skip(): void
}

/** The head of a response in which no field means two things. */
type Head = Pick<UpstreamResponse, 'headers' | 'rawHeaders'>

/** They have one value: of two, one program takes the first and the next the last. */
const singular = new Set([
  'content-disposition',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
])

/**
 * Several fields of one name are one list, unless the name is of a field that has one value: then they are one when they
 * say the same.
 * @throws Refusal `bff.upstream.invalid_response`
 * @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-5.3 RFC 9110 §5.3}
 */
export function headOf(fields: readonly string[]): Head {
  const headers = new Map<string, string>()
  const cookies: string[] = []
  const rawHeaders: string[] = []
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index] ?? ''
    const value = fields[index + 1] ?? ''
    const lower = name.toLowerCase()
    const before = headers.get(lower)
    if (lower === 'set-cookie') cookies.push(value)
    else if (before === undefined) headers.set(lower, value)
    else if (!singular.has(lower)) headers.set(lower, `${before}, ${value}`)
    else if (before === value) continue
    else throw new Refusal('bff.upstream.invalid_response', `the upstream answered with two different ${lower} fields`)
    rawHeaders.push(name, value)
  }
  const byName = Object.fromEntries(headers)
  return { headers: cookies.length > 0 ? { ...byName, 'set-cookie': cookies } : byName, rawHeaders }
}

/** Where the body of a response goes. */
export interface BodySink {
  /** False: full. */
  write(chunk: Buffer): boolean
  /** Nothing has come yet, and something will. */
  wait(): void
  /** @param last what had come already when the body was over: all of a small one */
  end(trailers: IncomingHttpHeaders, last?: Buffer): void
  /** There will be no proper end. */
  breakOff(): void
}

/** Server-sent events: an answer without an end, of which each part counts at once. */
export function isEventStream({ headers }: Pick<UpstreamResponse, 'headers'>): boolean {
  return /^text\/event-stream\b/i.test(headers['content-type'] ?? '')
}

/** Bytes of an unwanted body up to which reading it costs less than a new connection. */
export const skipLimit = 65_536

/** What an upstream has answered to an upgrade that it does not want. @throws Refusal */
export function responseOf(message: IncomingMessage): UpstreamResponse {
  return {
    status: message.statusCode ?? 502,
    ...headOf(message.rawHeaders),
    sendTo(sink) {
      message
        .on('data', (chunk: Buffer) => sink.write(chunk) || message.pause())
        .on('end', () => sink.end(message.trailers))
        .on('error', () => sink.breakOff())
      sink.wait()
    },
    resume: () => void message.resume(),
    skip() {
      let left = skipLimit
      message
        .on('error', () => {})
        .on('data', (chunk: Buffer) => {
          left -= chunk.length
          if (left < 0) message.destroy()
        })
    },
  }
}
