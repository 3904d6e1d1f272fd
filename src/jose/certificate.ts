import { createHash, type X509Certificate } from 'node:crypto'
import type { Jwk } from './jwk.js'

/** `x5t#S256`: what a token is bound to. @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3.1 RFC 8705 §3.1} */
export function certificateThumbprint({ raw }: X509Certificate): string {
  return createHash('sha256').update(raw).digest('base64url')
}

/** The key of a certificate, and the certificate (`x5c`): as the key set of a client has it that is known by its key (RFC 8705 §2.2.2). */
export function certificateJwk(certificate: X509Certificate): Jwk {
  return { ...certificate.publicKey.export({ format: 'jwk' }), x5c: [certificate.raw.toString('base64')] }
}
