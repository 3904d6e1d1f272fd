import { createCipheriv, createDecipheriv, createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'

/**
 * Split-key sealing: AES-256-GCM under HKDF(the server's sealing key, the bearer's own secret). Neither half opens
 * anything alone. `context` (purpose, store key, frontend) is bound in, so that a seal opens only where it was made for.
 */
export interface Seal {
  /** `secret` is what the bearer holds: the cookie's 32 random bytes, a code, a refresh token. */
  seal(plaintext: string, secret: string, context: string): string
  /** Undefined for a seal that is tampered with, foreign, or under a key that has left the ring. */
  unseal(sealed: string, secret: string, context: string): string | undefined
  /**
   * A name for `text` that says nothing about it without the server's key: what indexes are keyed with. One for each
   * key of the ring, the current one first: write under the first, look under all.
   */
  blindIndexes(text: string): readonly [string, ...string[]]
}

interface SealingKey {
  readonly id: string
  readonly key: Buffer
}

const version = '1'

/**
 * Makes a seal of a ring of keys.
 * @param keys 32 bytes each. The first one seals; the others only open what they sealed before.
 * @throws TypeError when there is no key or one is not 32 bytes long
 * @example
 * ```ts
 * import { randomBytes } from 'node:crypto'
 * import { createSeal } from 'sallyport'
 *
 * const seal = createSeal([randomBytes(32)])
 * const sealed = seal.seal('record', 'the bearer’s secret', 'where it rests')
 * console.assert(seal.unseal(sealed, 'the bearer’s secret', 'where it rests') === 'record')
 * console.assert(seal.unseal(sealed, 'another secret', 'where it rests') === undefined)
 * ```
 */
export function createSeal(keys: readonly Buffer[]): Seal {
  const ring = keys.map(sealingKey)
  const [current] = ring
  if (current === undefined) throw new TypeError('a seal needs at least one key')

  return {
    seal(plaintext, secret, context) {
      const iv = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', derive(current, secret, context), iv)
      cipher.setAAD(Buffer.from(`${version}.${current.id}.${context}`))
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return `${version}.${current.id}.${Buffer.concat([iv, cipher.getAuthTag(), ciphertext]).toString('base64url')}`
    },

    unseal(sealed, secret, context) {
      const [sealVersion, id, body = '', ...rest] = sealed.split('.')
      const key = ring.find((candidate) => candidate.id === id)
      if (sealVersion !== version || key === undefined || rest.length > 0) return undefined
      const bytes = Buffer.from(body, 'base64url')
      if (bytes.length < 28) return undefined
      const decipher = createDecipheriv('aes-256-gcm', derive(key, secret, context), bytes.subarray(0, 12), {
        authTagLength: 16,
      })
      decipher.setAAD(Buffer.from(`${version}.${key.id}.${context}`))
      decipher.setAuthTag(bytes.subarray(12, 28))
      try {
        return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8')
      } catch {
        // A tampered, foreign or retired seal is an absent record, not a fault worth a 500.
        return undefined
      }
    },

    blindIndexes: (text) => [named(current, text), ...ring.slice(1).map((key) => named(key, text))],
  }
}

function sealingKey(key: Buffer): SealingKey {
  if (key.length !== 32) throw new TypeError('a sealing key is 32 bytes long')
  return { id: createHash('sha256').update('sallyport sealing key').update(key).digest('base64url').slice(0, 8), key }
}

function named({ key }: SealingKey, text: string): string {
  return createHmac('sha256', key).update(`sallyport name ${text}`).digest('base64url')
}

function derive({ key }: SealingKey, secret: string, context: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, secret, `sallyport ${context}`, 32))
}
