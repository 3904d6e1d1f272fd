import type { TargetUrl } from '../../dpop/proof.js'
import type { Credentials } from '../tokens/credentials.js'
import type { Headers } from './headers.js'

/** Puts what one attempt carries into its headers: a proof is for one method, one URL, one time. */
export type Authorize = (
  headers: Headers,
  credentials: Credentials,
  attempt: { readonly method: string; readonly url: TargetUrl; readonly nonce: string | undefined },
) => Headers | Promise<Headers>

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1} */
export function createAuthorize(): Authorize {
  const together = createTurn()
  return (headers, credentials, { method, url, nonce }) => {
    switch (credentials.kind) {
      case 'none':
        return headers
      case 'bearer':
        headers.authorization = `Bearer ${credentials.accessToken}`
        return headers
      case 'dpop': {
        const { accessToken, prover } = credentials
        const target = nonce === undefined ? { method, url, accessToken } : { method, url, accessToken, nonce }
        return together(() => {
          headers.authorization = `DPoP ${accessToken}`
          headers.dpop = prover.prove(target)
          return headers
        })
      }
    }
  }
}

/** Signatures made before the requests they are for are sent: a millisecond's worth. */
const turnSize = 32

/**
 * The requests that have come in one turn of the event loop are signed one after the other, and only then sent: a
 * signature costs half when the one before has left its tables in the processor's cache. A request that is alone does
 * not wait.
 */
function createTurn(): <Result>(make: () => Result) => Promise<Result> {
  const waiting: (() => void)[] = []
  const take = (): void => {
    for (const make of waiting.splice(0, turnSize)) make()
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
