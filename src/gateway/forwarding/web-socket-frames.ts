/** Knows where the frames of one direction end, and nothing else of them (RFC 6455 §5.2). */
export interface FrameReader {
  /** Whether all that was read so far is whole frames. */
  isBetweenFrames(): boolean
  /** Reads on. Returns where in `chunk` the first frame ends, or -1 when none does. */
  read(chunk: Buffer): number
}

export function createFrameReader(): FrameReader {
  // What is there of a header: at most 14 bytes.
  const header = Buffer.alloc(14)
  let headerLength = 0
  let payloadLeft = 0

  return {
    isBetweenFrames: () => headerLength === 0 && payloadLeft === 0,

    read(chunk) {
      let firstEnd = -1
      let at = 0
      while (at < chunk.length) {
        if (payloadLeft > 0) {
          const taken = Math.min(payloadLeft, chunk.length - at)
          payloadLeft -= taken
          at += taken
        } else {
          header[headerLength++] = chunk[at++] ?? 0
          if (headerLength < 2 || headerLength < sizeOfHeader(header)) continue
          payloadLeft = payloadLength(header)
          headerLength = 0
        }
        if (payloadLeft === 0 && firstEnd === -1) firstEnd = at
      }
      return firstEnd
    },
  }
}

function sizeOfHeader(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f
  const masked = ((header[1] ?? 0) & 0x80) !== 0
  return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (masked ? 4 : 0)
}

function payloadLength(header: Buffer): number {
  const length = (header[1] ?? 0) & 0x7f
  if (length === 126) return header.readUInt16BE(2)
  // Beyond 2^53 a frame has no end that we would live to see.
  return length === 127 ? Number(header.readBigUInt64BE(2)) : length
}

export const pingFrame = Buffer.from([0x89, 0])

/** A server's frame: not masked. */
export function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 123)
  const frame = Buffer.alloc(4 + text.length)
  frame[0] = 0x88
  frame[1] = 2 + text.length
  frame.writeUInt16BE(code, 2)
  text.copy(frame, 4)
  return frame
}
