import type { Duplex } from 'node:stream'

export interface LastAnswerOptions {
  /**
   * Seconds that the peer has to take it: then the connection is gone, whatever it still sends. Default: 1, and the first
   * 64 KB of what it sends are read, for a reset would take the answer along.
   */
  readonly unreadFor?: number
}

const lingerSeconds = 1
const lingerBytes = 65_536

/**
 * Writes the last answer to a connection that is not kept, and sees that it goes. Closing it at once would reset it while
 * bytes of the peer are unread, and take the answer along; reading it to its end would let the peer say when that is.
 */
export function endWithAnswer(socket: Duplex, answer: string, { unreadFor }: LastAnswerOptions = {}): void {
  let left = lingerBytes
  const timer = setTimeout(() => socket.destroy(), (unreadFor ?? lingerSeconds) * 1000).unref()
  // A parser that still listens would find the next request, or the next fault.
  socket.once('close', () => clearTimeout(timer)).removeAllListeners('data')
  if (unreadFor === undefined)
    socket
      .on('data', (chunk: Buffer) => {
        left -= chunk.length
        if (left < 0) socket.destroy()
      })
      .resume()
  else socket.pause()
  socket.end(answer)
}
