import { createHash } from 'node:crypto'

/** What a proof is made for: one request. */
export interface ProofTarget {
  readonly method: string
  /** The URL really called. Query and fragment are left out of the proof. */
  readonly url: URL
  /** Present exactly when the request carries an access token. */
  readonly accessToken?: string
  /** Default: the last nonce that the target's origin gave us. Ignored by verifiers. */
  readonly nonce?: string
}

/** The `htu` claim. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export function targetUri(url: URL): string {
  return `${url.origin}${url.pathname}`
}

/** The `ath` claim. @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.2 RFC 9449 §4.2} */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url')
}
