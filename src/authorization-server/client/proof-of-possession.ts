import type { IncomingMessage } from 'node:http'
import type { Nonces } from '../../dpop/nonce.js'
import type { VerifyProof } from '../../dpop/verifier.js'
import { ProtocolError } from '../../errors.js'
import { publish } from '../../telemetry/events.js'
import type { FirstUse } from './replay.js'

/** A proof that holds for this request. Its first use is recorded by `consume`, after everything that may ask for a retry. */
export interface ProvenPossession {
  /** Thumbprint of the key. */
  readonly jkt: string
  /** @throws ProtocolError `invalid_dpop_proof` when the proof was used before. */
  consume(requestId: string): Promise<void>
}

/** Checks the `DPoP` header of a request to one of our own endpoints. Undefined when it has none. */
export type ProvePossession = (request: IncomingMessage, url: URL, accessToken?: string) => ProvenPossession | undefined

export interface ProofOfPossessionOptions {
  readonly verifyProof: VerifyProof
  /** Where our endpoints are as well, for clients with a certificate. Absent: nowhere else. */
  readonly aliases?: URL | undefined
  /** Absent: proofs need no nonce. */
  readonly nonces: Nonces | undefined
  readonly firstUse: FirstUse
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 RFC 9449 §4.3} */
export function createProofOfPossession({
  verifyProof,
  aliases,
  nonces,
  firstUse,
}: ProofOfPossessionOptions): ProvePossession {
  return (request, url, accessToken) => {
    const [proof, ...more] = request.headersDistinct.dpop ?? []
    if (proof === undefined) return undefined
    if (more.length > 0) throw new ProtocolError('invalid_dpop_proof', 'there is more than one DPoP header')
    const { jkt, jti, nonce, rememberUntil } = verifyProof(proof, {
      method: request.method ?? '',
      url,
      ...(aliases !== undefined && { alias: new URL(url.pathname, aliases) }),
      ...(accessToken !== undefined && { accessToken }),
    })
    if (nonces !== undefined && (nonce === undefined || !nonces.recognise(nonce)))
      throw new ProtocolError('use_dpop_nonce', 'the proof must carry the nonce of the DPoP-Nonce header')
    return {
      jkt,
      async consume(requestId) {
        if (await firstUse('proof', jkt, jti, rememberUntil)) return
        publish({ type: 'as.replay.detected', requestId, kind: 'proof' })
        throw new ProtocolError('invalid_dpop_proof', 'the proof was used before')
      },
    }
  }
}
