import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { closeFrame, createFrameReader, pingFrame } from './web-socket-frames.js'

/** RFC 6455 §7.4: 1001 going away; after HTTP's 401 and 403, 4401: the session is over; 4403: its user may not in any more. */
export type WebSocketCloseCode = 1001 | 4401 | 4403

export interface WebSocketLink {
  /** Tells the browser why, at the end of the frame that is under way, and ends both sides within two seconds. */
  close(code: WebSocketCloseCode, reason: string): void
}

export interface WebSocketLinkOptions {
  /** Seconds without a byte from the browser until it is pinged, and once more until it is given up. 0: never. */
  readonly pingInterval: number
  /** Seconds without a byte in either direction until both sides are ended, when there are no pings. */
  readonly idle: number
}

/** Seconds that a side has to end after the other one has. */
const endingTime = 2

/**
 * Watches a pair of sockets that http-proxy has joined with two pipes. Those end each other, but neither insists on it; an
 * error of either side has a listener of http-proxy's, and is followed by its close.
 */
export function watchWebSocket(
  browser: Socket,
  upstream: Duplex,
  { pingInterval, idle }: WebSocketLinkOptions,
): WebSocketLink {
  const frames = createFrameReader()
  const onData = (chunk: Buffer): void => void frames.read(chunk)
  upstream.on('data', onData)

  const destroyBoth = (): void => {
    browser.destroy()
    upstream.destroy()
  }
  let ending = false
  const endSoon = (): void => {
    if (ending) return
    ending = true
    // What it still says is read and dropped, so that its end is seen.
    browser.unpipe(upstream).resume()
    const timer = setTimeout(destroyBoth, endingTime * 1000).unref()
    browser.once('close', () => clearTimeout(timer))
  }
  // Ended, not destroyed: a reset would take what the browser has not read yet.
  const endBrowser = (): void => {
    endSoon()
    browser.end()
  }
  browser.once('close', () => upstream.destroy()).once('end', endSoon)
  upstream.once('close', endBrowser).once('end', endSoon)

  let heard = browser.bytesRead
  let silent = 0
  const pingWhenSilent = (): void => {
    silent = browser.bytesRead === heard ? silent + 1 : 0
    heard = browser.bytesRead
    if (silent >= 2) destroyBoth()
    else if (silent === 1 && !ending && frames.isBetweenFrames()) browser.write(pingFrame)
  }
  if (pingInterval > 0) {
    const timer = setInterval(pingWhenSilent, pingInterval * 1000).unref()
    browser.once('close', () => clearInterval(timer))
  } else {
    browser.setTimeout(idle * 1000, destroyBoth)
  }

  return {
    close(code, reason) {
      if (ending || browser.destroyed) return
      endSoon()
      upstream.unpipe(browser).off('data', onData)
      const finish = (): void => {
        browser.end(closeFrame(code, reason))
        upstream.destroy()
      }
      if (frames.isBetweenFrames()) {
        finish()
        return
      }
      upstream
        .on('data', (chunk: Buffer) => {
          if (browser.writableEnded) return
          const end = frames.read(chunk)
          browser.write(end === -1 ? chunk : chunk.subarray(0, end))
          if (end !== -1) finish()
        })
        .resume()
    },
  }
}
