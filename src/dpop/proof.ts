import { hash } from 'node:crypto'

/** What of a URL counts. A `URL` has it all. */
export type TargetUrl = Pick<URL, 'origin' | 'protocol' | 'pathname'>

/** What a proof is made for: one request. */
export interface ProofTarget {
  readonly method: string
  /** The URL really called. Query and fragment are left out of the proof. */
  readonly url: TargetUrl
  /** Present exactly when the request carries an access token. */
  readonly accessToken?: string
  /** Default: the last nonce that the target's origin gave us. Ignored by verifiers. */
  readonly nonce?: string
}

/** The `htu` claim. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export function targetUri(url: Pick<URL, 'origin' | 'pathname'>): string {
  return `${url.origin}${url.pathname}`
}

/** The `ath` claim. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export function accessTokenHash(accessToken: string): string {
  return hash('sha256', accessToken, 'base64url')
}
