import { hash } from 'node:crypto'
import type { PresentedProof } from '../proof/presented-proof.js'
import type { ApiRequest } from '../request/api-request.js'
import type { Scheme } from '../request/credentials.js'
import type { HeaderFields } from '../request/header-fields.js'
import { refusals } from '../response/auth-error.js'
import type { Settings } from '../settings/settings.js'
import type { TokenContent } from './token-claims.js'

export interface TokenUse {
  readonly scheme: Scheme
  readonly proof: PresentedProof | undefined
  readonly fields: HeaderFields
  readonly request: ApiRequest
}

/**
 * Whether a token is used as it is bound: with its key, with its certificate, and never a bound one as Bearer.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.2 RFC 9449 §7.2}, RFC 8705 §3
 * @throws AuthError
 */
export function assertBound(
  { jkt, certificate }: TokenContent,
  { scheme, proof, fields, request }: TokenUse,
  mode: Settings['mode'],
): void {
  switch (scheme) {
    case 'DPoP':
      if (jkt === undefined) throw refusals.unbound
      if (jkt !== proof?.jkt) throw refusals.jkt
      break
    case 'Bearer':
      if (jkt !== undefined) throw refusals.boundAsBearer
      if (certificate === undefined && mode === 'any-bound') throw refusals.unbound
      if (fields.proofs > 0) throw refusals.strayProof
      break
  }
  if (certificate !== undefined && certificate !== thumbprintOf(request.clientCertificate?.()))
    throw refusals.certificate
}

function thumbprintOf(certificate: Buffer | undefined): string | undefined {
  return certificate && hash('sha256', certificate, 'base64url')
}
