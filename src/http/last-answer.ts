import type { Duplex } from 'node:stream'

/** Seconds that a peer has to take its last answer: then the connection is gone, whatever it still sends. */
const lingerSeconds = 1
/** Bytes that it may still send meanwhile. */
const lingerBytes = 65_536
/** Seconds that a peer that asks too much is kept waiting. */
const heldSeconds = 5

/**
 * Writes the last answer to a connection that is not kept, and sees that it goes. Closing it at once would reset it while
 * bytes of the peer are unread, and take the answer along; reading it to its end would let the peer say when that is.
 */
export function endWithAnswer(socket: Duplex, answer: string): void {
  let left = lingerBytes
  destroyIn(lingerSeconds, socket)
  socket
    // A parser that still listens would find the next request, or the next fault.
    .removeAllListeners('data')
    .on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) socket.destroy()
    })
    .resume()
    .end(answer)
}

/**
 * The same for a peer that asks for more than it may have: the connection stays for a while, unread. One that is closed
 * would be followed by the next at once, and each costs as much as the one before. A peer that reads the answer may leave.
 */
export function holdWithAnswer(socket: Duplex, answer: string): void {
  destroyIn(heldSeconds, socket)
  socket.removeAllListeners('data').pause().write(answer)
}

function destroyIn(seconds: number, socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), seconds * 1000).unref()
  socket.once('close', () => clearTimeout(timer))
}
