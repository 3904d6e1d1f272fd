/** Below that there is little to be saved. */
const worthIt = 512

/** The first byte of a packed text says how long its head is. */
const longestHead = 255

/**
 * A text in three quarters of its memory where it is a seal: what follows its last dot is Base64url, and is kept as the bytes
 * that it stands for. They lie beside V8's heap, in which texts of this size, with what comes and goes between them, leave holes
 * that are never given back. Any other text stays as it is.
 */
export function pack(text: string): string | Buffer {
  const end = text.lastIndexOf('.') + 1
  if (text.length < worthIt || end > longestHead) return text
  const [head, body] = [text.slice(0, end), text.slice(end)]
  // Not of the pool: eight kilobytes of it would live as long as any part of them.
  const packed = Buffer.allocUnsafeSlow(1 + end + Buffer.byteLength(body, 'base64url'))
  packed[0] = end
  packed.write(head, 1, 'latin1')
  packed.write(body, 1 + end, 'base64url')
  // What is no seal, or is spelled otherwise, would come back as something else.
  return unpack(packed) === text ? packed : text
}

export function unpack(packed: string | Buffer): string {
  if (typeof packed === 'string') return packed
  const end = 1 + (packed[0] ?? 0)
  return packed.toString('latin1', 1, end) + packed.toString('base64url', end)
}

/** What it takes in memory. */
export function packedBytes(packed: string | Buffer): number {
  return typeof packed === 'string' ? Buffer.byteLength(packed) : bufferBytes + packed.length
}

/** What a buffer takes beside its bytes. Measured with Node 20. */
const bufferBytes = 300
