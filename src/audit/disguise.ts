import { createHmac } from 'node:crypto'
import { maskedAddress } from '../http/trusted-peers.js'

/**
 * How much a record says of a person. `hashed`: the same person is the same text, which tells who it is only to those who
 * have the key.
 */
export type Disclosure = 'full' | 'masked' | 'hashed'

export interface DisguiseOptions {
  readonly subject: Disclosure
  readonly address: Disclosure
  /** Needed where one of them is `hashed`. */
  readonly hashKey?: string | Uint8Array | undefined
}

export interface Disguise {
  subject(text: string): string
  address(text: string): string
}

/** @throws TypeError without a key where one is needed */
export function createDisguise({ subject, address, hashKey }: DisguiseOptions): Disguise {
  if ((subject === 'hashed' || address === 'hashed') && (hashKey === undefined || hashKey.length < 32))
    throw new TypeError('hashKey of at least 32 bytes is needed to hash what could be guessed')
  const hashed = (kind: string, text: string): string =>
    createHmac('sha256', hashKey ?? '')
      .update(`${kind} ${text}`)
      .digest('base64url')
  const disguised = (disclosure: Disclosure, kind: string, masked: (text: string) => string) => (text: string) =>
    disclosure === 'full' ? text : disclosure === 'masked' ? masked(text) : hashed(kind, text)
  return {
    subject: disguised(subject, 'subject', maskedSubject),
    address: disguised(address, 'address', maskedAddress),
  }
}

/** Two characters: enough to tell two colleagues apart who have signed in together, too little to be looked up. */
function maskedSubject(text: string): string {
  return `${[...text].slice(0, 2).join('')}…`
}
