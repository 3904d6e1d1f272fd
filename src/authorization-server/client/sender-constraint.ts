import { ProtocolError } from '../../errors.js'
import type { ClientOptions } from '../options.js'
import type { Confirmation } from '../tokens/confirmation.js'
import { isCurrent, type PresentedCertificate } from './client-certificate.js'
import type { ProvenPossession } from './proof-of-possession.js'

/** What a token request has shown that its tokens can be bound to. */
export interface Shown {
  readonly proof: ProvenPossession | undefined
  /** Asked only of clients whose tokens are bound to it. */
  readonly certificate: () => PresentedCertificate | undefined
  readonly now: number
}

/**
 * What the tokens of a request are bound to, by the registration of its client: never to what a request happens to have.
 * @throws ProtocolError `invalid_request` when that is not there (FAPI 2.0 §5.3.2.1-4)
 */
export function senderConstraint(client: ClientOptions, { proof, certificate, now }: Shown): Confirmation {
  if (client.certificateBoundAccessTokens !== true) {
    if (proof === undefined) throw new ProtocolError('invalid_request', 'a DPoP proof is required')
    return { jkt: proof.jkt }
  }
  assertNoKey(client, proof?.jkt)
  const presented = certificate()
  if (presented === undefined)
    throw new ProtocolError('invalid_request', 'a client certificate is required, which the tokens are bound to')
  if (!isCurrent(presented.certificate, now))
    throw new ProtocolError('invalid_request', 'the client certificate has expired, or is not valid yet')
  return { 'x5t#S256': presented.thumbprint }
}

/** A token has one bond. @throws ProtocolError `invalid_request` for a key of a client whose tokens are bound to its certificate */
export function assertNoKey({ certificateBoundAccessTokens }: ClientOptions, jkt: string | undefined): void {
  if (certificateBoundAccessTokens === true && jkt !== undefined)
    throw new ProtocolError('invalid_request', 'the tokens of this client are bound to its certificate, not to a key')
}
