import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

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
  /** Reads a body nobody is to see, so that its connection can be used again; a long one is not worth that. */
  skip(): void
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

/** Bytes of an unwanted body up to which reading it costs less than a new connection. */
export const skipLimit = 65_536

/** What an upstream has answered to an upgrade that it does not want. */
export function responseOf(message: IncomingMessage): UpstreamResponse {
  return {
    status: message.statusCode ?? 502,
    headers: message.headers,
    rawHeaders: message.rawHeaders,
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
