import type { TargetUrl } from '../dpop/proof.js'
import type { Credentials } from './credentials.js'
import type { Headers } from './headers.js'

/** Puts what one attempt carries into its headers: a proof is for one method, one URL, one time. */
export type Authorize = (
  headers: Headers,
  credentials: Credentials,
  attempt: { readonly method: string; readonly url: TargetUrl; readonly nonce: string | undefined },
) => Headers | Promise<Headers>

/**
 * @param isBusy whether signing goes to the thread pool
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 RFC 9449 §7.1}
 */
export function createAuthorize(isBusy: () => boolean): Authorize {
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
        const proven = (dpop: string): Headers => {
          headers.authorization = `DPoP ${accessToken}`
          headers.dpop = dpop
          return headers
        }
        return isBusy() ? prover.proveOnThreadPool(target).then(proven) : proven(prover.prove(target))
      }
    }
  }
}
