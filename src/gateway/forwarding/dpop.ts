import { isNonce } from '../../dpop/nonce.js'
import type { TargetUrl } from '../../dpop/proof.js'
import type { Credentials } from '../tokens/credentials.js'
import type { Headers } from './headers.js'
import type { UpstreamResponse } from './upstream-response.js'

/** Puts what one attempt carries into its headers: a proof is for one method, one URL, one time. */
export type Authorize = (
  headers: Headers,
  credentials: Credentials,
  attempt: { readonly method: string; readonly url: TargetUrl; readonly nonce: string | undefined },
) => Headers | Promise<Headers>

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1} */
export function createAuthorize(): Authorize {
  const signInBatch = createBatch()
  return (headers, credentials, { method, url, nonce }) => {
    switch (credentials.kind) {
      case 'none':
        return headers
      case 'bearer':
        headers.authorization = `Bearer ${credentials.accessToken}`
        return headers
      case 'assertion':
        headers[credentials.field] = credentials.assertion
        return headers
      case 'dpop': {
        const { accessToken, prover } = credentials
        const target = nonce === undefined ? { method, url, accessToken } : { method, url, accessToken, nonce }
        return signInBatch(() => {
          headers.authorization = `DPoP ${accessToken}`
          headers.dpop = prover.prove(target)
          return headers
        })
      }
    }
  }
}

/** Signatures made before the requests they are for are sent: a millisecond's worth. */
const batchSize = 32

/**
 * The requests that have come in one turn of the event loop are signed one after the other, and only then sent: a
 * signature costs half when the one before has left its tables in the processor's cache. A request that is alone does
 * not wait.
 */
function createBatch(): <Result>(make: () => Result) => Promise<Result> {
  const waiting: (() => void)[] = []
  const take = (): void => {
    for (const make of waiting.splice(0, batchSize)) make()
    if (waiting.length > 0) setImmediate(take)
  }
  return (make) =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(take)
      waiting.push(() => {
        try {
          resolve(make())
        } catch (error) {
          reject(error)
        }
      })
    })
}

/** What we know of an origin's wish for nonces, from every response that it gave us. */
export interface NonceMemory {
  /** The nonce for the next proof: the last one given to its key, or to any. */
  recall(origin: string, credentials: Credentials): string | undefined
  /** Whether a request that cannot be sent twice may start without asking first. */
  knows(origin: string): boolean
  /**
   * Feeds the memory, but for the nonce that comes with a demand: it belongs to the request that is sent again with it, and
   * could be good for one only.
   * @param sent the nonce of the proof that was answered
   * @returns the nonce that this response brought
   */
  learn(
    origin: string,
    response: UpstreamResponse,
    credentials: Credentials,
    sent: string | undefined,
  ): string | undefined
  remember(origin: string, nonce: string, credentials: Credentials): void
}

interface Knowledge {
  readonly nonce: string | undefined
  /** It has refused a nonce of its own: each is good once, or for a moment. */
  readonly fleeting: boolean
}

export function createNonceMemory(): NonceMemory {
  // One entry per origin we call, and those come from the configuration: it cannot grow without bound.
  const known = new Map<string, Knowledge>()
  const remember = (origin: string, nonce: string, credentials: Credentials): void => {
    known.set(origin, { nonce, fleeting: known.get(origin)?.fleeting === true })
    if (credentials.kind === 'dpop') credentials.prover.rememberNonce(origin, nonce)
  }
  return {
    remember,

    recall: (origin, credentials) =>
      (credentials.kind === 'dpop' ? credentials.prover.recallNonce(origin) : undefined) ?? known.get(origin)?.nonce,

    knows(origin) {
      const knowledge = known.get(origin)
      return knowledge !== undefined && !knowledge.fleeting
    },

    learn(origin, response, credentials, sent) {
      if (credentials.kind !== 'dpop') return undefined
      const nonce = nonceOf(response)
      const before = known.get(origin)
      if (demandsNonce(response)) {
        if (sent !== undefined) known.set(origin, { nonce: before?.nonce, fleeting: true })
        return nonce
      }
      const good = nonce ?? sent
      if (good !== undefined && good !== before?.nonce) remember(origin, good, credentials)
      else if (before === undefined) known.set(origin, { nonce: undefined, fleeting: false })
      return nonce
    },
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-9 RFC 9449 §9} */
export function demandsNonce({ status, headers }: UpstreamResponse): boolean {
  return status === 401 && /\bdpop\b.*\berror="?use_dpop_nonce\b/i.test(String(headers['www-authenticate'] ?? ''))
}

/**
 * Whether an API refuses the token itself: it has expired, was revoked, or is signed with a key that is gone.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 RFC 6750 §3.1}, RFC 9449 §7.1
 */
export function refusesToken({ status, headers }: UpstreamResponse): boolean {
  if (status !== 401) return false
  return /\b(?:dpop|bearer)\b.*\berror="?invalid_token\b/i.test(String(headers['www-authenticate'] ?? ''))
}

export function nonceOf({ headers }: UpstreamResponse): string | undefined {
  const nonce = headers['dpop-nonce']
  return isNonce(nonce) ? nonce : undefined
}
