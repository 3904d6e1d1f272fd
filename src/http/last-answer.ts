import type { Duplex } from 'node:stream'

/** Seconds that a peer has to take its last answer: then the connection is gone, whatever it still sends. */
const lingerSeconds = 1
/** Bytes that it may still send meanwhile. */
const lingerBytes = 65_536

/**
 * Writes the last answer to a connection that is not kept, and sees that it goes. Closing it at once would reset it while
 * bytes of the peer are unread, and take the answer along; reading it to its end would let the peer say when that is.
 */
export function endWithAnswer(socket: Duplex, answer: string): void {
  let left = lingerBytes
  const timer = setTimeout(() => socket.destroy(), lingerSeconds * 1000).unref()
  socket
    .once('close', () => clearTimeout(timer))
    .on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) socket.destroy()
    })
    .resume()
    .end(answer)
}
