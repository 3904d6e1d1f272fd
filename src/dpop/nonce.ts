import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Nonces a server hands out and recognises without remembering them: a time step and its HMAC. They can be used again
 * within their window, so parallel requests and retries never race for one.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-8 RFC 9449 §8}
 */
export interface Nonces {
  issue(): string
  recognise(nonce: string): boolean
}

export interface NonceOptions {
  /** The same on every replica. At least 32 bytes. */
  readonly secret: Buffer
  /** Seconds per time step; a nonce is good in its own step and the one after. Default: 60. */
  readonly step?: number
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

export function createNonces({ secret, step = 60, now = () => Date.now() / 1000 }: NonceOptions): Nonces {
  const current = (): number => Math.floor(now() / step)
  const nonceOf = (bucket: number): string => {
    const mac = createHmac('sha256', secret).update(`dpop nonce ${bucket}`).digest()
    return Buffer.concat([bucketBytes(bucket), mac.subarray(0, 16)]).toString('base64url')
  }
  return {
    issue: () => nonceOf(current()),
    recognise(nonce) {
      const bucket = current()
      // One step ahead as well: another replica's clock may be a little before ours.
      return [bucket, bucket - 1, bucket + 1].some((candidate) => equal(nonce, nonceOf(candidate)))
    },
  }
}

function bucketBytes(bucket: number): Buffer {
  const bytes = Buffer.alloc(6)
  bytes.writeUIntBE(bucket, 0, 6)
  return bytes
}

function equal(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
