import type { IncomingMessage } from 'node:http'
import type { Credentials } from './credentials.js'

/** What we know of an origin's wish for nonces, from every response that it gave us. */
export interface NonceMemory {
  /** The nonce for the next proof that has none of its own key's. */
  recall(origin: string): string | undefined
  /** Whether a request that cannot be sent twice may start without asking first. */
  knows(origin: string): boolean
  /** Feeds the memory and the key's own. Returns the nonce that this response brought. */
  learn(origin: string, response: IncomingMessage, credentials: Credentials): string | undefined
}

interface Knowledge {
  readonly nonce?: string
  /** It has refused a nonce of its own: each is good once, or for a moment. */
  readonly fleeting: boolean
}

export function createNonceMemory(): NonceMemory {
  // One entry per origin we call, and those come from the configuration: it cannot grow without bound.
  const known = new Map<string, Knowledge>()
  return {
    recall: (origin) => known.get(origin)?.nonce,

    knows(origin) {
      const knowledge = known.get(origin)
      return knowledge !== undefined && !knowledge.fleeting
    },

    learn(origin, response, credentials) {
      if (credentials.kind !== 'dpop') return undefined
      const before = known.get(origin)
      const nonce = nonceOf(response)
      if (nonce === undefined) {
        if (before === undefined) known.set(origin, { fleeting: false })
        return undefined
      }
      const fleeting = before?.fleeting === true || (before?.nonce !== undefined && demandsNonce(response))
      known.set(origin, { nonce, fleeting })
      credentials.prover.rememberNonce(origin, nonce)
      return nonce
    },
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-9 RFC 9449 §9} */
export function demandsNonce({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 401 && /\bdpop\b.*\berror="?use_dpop_nonce\b/i.test(headers['www-authenticate'] ?? '')
}

/** NQCHAR, RFC 9449 §8.1; a longer one would not fit into the next request's headers. */
function nonceOf({ headers }: IncomingMessage): string | undefined {
  const nonce = headers['dpop-nonce']
  return typeof nonce === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]{1,1024}$/.test(nonce) ? nonce : undefined
}
