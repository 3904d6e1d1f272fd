import { createHmac, timingSafeEqual } from 'node:crypto'
import { decodeBase64url } from '../jose/compact-jws.js'

/**
 * Nonces a server hands out and recognises without remembering them: a time step and its HMAC. They can be used again
 * within their window, so parallel requests and retries never race for one.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-8 RFC 9449 §8}
 */
export interface Nonces {
  /** @param context What the nonce is good for, such as a key's thumbprint. */
  issue(context?: string): string
  recognise(nonce: string, context?: string): boolean
  /** Whether the next request should rather use a newer one. Says nothing about whose it is. */
  isOutdated(nonce: string): boolean
}

export interface NonceOptions {
  /** The same on every replica. At least 32 bytes. Of several the first one issues, and all are recognised. */
  readonly secret: Buffer | readonly Buffer[]
  /** Seconds per time step; a nonce is good in its own step and the one after. Default: 60. */
  readonly step?: number
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

const bucketLength = 6

export function createNonces({ secret, step = 60, now = () => Date.now() / 1000 }: NonceOptions): Nonces {
  const [issuing, ...retired] = Buffer.isBuffer(secret) ? [secret] : secret
  if (issuing === undefined) throw new TypeError('nonces need a secret')
  const current = (): number => Math.floor(now() / step)
  const macOf = (key: Buffer, bucket: number, context: string): Buffer =>
    createHmac('sha256', key).update(`dpop nonce ${bucket} ${context}`).digest().subarray(0, 16)

  return {
    issue(context = '') {
      const bucket = current()
      const bytes = Buffer.alloc(bucketLength)
      bytes.writeUIntBE(bucket, 0, bucketLength)
      return Buffer.concat([bytes, macOf(issuing, bucket, context)]).toString('base64url')
    },

    recognise(nonce, context = '') {
      const bucket = bucketOf(nonce)
      // One step ahead as well: another replica's clock may be a little before ours.
      if (bucket === undefined || Math.abs(bucket - current()) > 1) return false
      const mac = Buffer.from(nonce, 'base64url').subarray(bucketLength)
      return [issuing, ...retired].some((key) => timingSafeEqual(mac, macOf(key, bucket, context)))
    },

    isOutdated: (nonce) => bucketOf(nonce) !== current(),
  }
}

function bucketOf(nonce: string): number | undefined {
  const bytes = nonce.length > 64 ? undefined : decodeBase64url(nonce)
  return bytes?.length === bucketLength + 16 ? bytes.readUIntBE(0, bucketLength) : undefined
}

/** NQCHAR, RFC 9449 §8.1; a longer one would not fit into the headers of the next request. */
export function isNonce(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]{1,1024}$/.test(text)
}
