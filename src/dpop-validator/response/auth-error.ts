import { type ProofFault, proofFaults } from '../../dpop/checks.js'

/** Why a request is refused, with the status of the answer. The wire's names where there is one. */
export const authErrorStatus = {
  missing_credentials: 401,
  invalid_request: 400,
  invalid_token: 401,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  insufficient_scope: 403,
  insufficient_user_authentication: 401,
  temporarily_unavailable: 503,
} as const

/** `error` of the challenge (RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3), and what has no name on the wire. */
export type AuthErrorCode = keyof typeof authErrorStatus

/**
 * A request that is refused. `message` is a fixed text of ours that may be sent; what the sender wrote never gets into it.
 * The ones below are made once: refusing garbage must cost next to nothing, and an error's stack costs more than the check.
 */
export class AuthError extends Error {
  override readonly name = 'AuthError'
  /** Decides status and challenge. */
  readonly code: AuthErrorCode
  /** The rule that was broken: RFC and section, then the number of the check where the section counts them. */
  readonly check: string
  /** For the operator's event where only the place that refuses knows it; never for the answer. */
  readonly hint: string | undefined

  /** Made by the verifier. */
  constructor(
    code: AuthErrorCode,
    check: string,
    message: string,
    options?: ErrorOptions & { readonly hint?: string },
  ) {
    super(message, options)
    this.code = code
    this.check = check
    this.hint = options?.hint
  }
}

const request = (check: string, text: string): AuthError => new AuthError('invalid_request', check, text)
const token = (check: string, text: string): AuthError => new AuthError('invalid_token', check, text)
const unavailable = (check: string, text: string): AuthError => new AuthError('temporarily_unavailable', check, text)

/** Every refusal but those of a proof, in the order of the checks. */
export const refusals = {
  // The request, before anybody looks at a credential
  ambiguousTarget: request('RFC9110-4.2', 'the request target is not in its canonical form'),
  ambiguousHost: request('RFC9112-3.2', 'the request does not name one host'),
  tokenInQuery: request('RFC9449-7.1', 'an access token belongs in the Authorization header field only'),
  none: new AuthError('missing_credentials', 'RFC6750-3.1', 'an access token is required'),
  several: request('RFC9449-7.2', 'the request has more than one Authorization'),
  malformed: request('RFC9110-11.4', 'the Authorization header field is malformed'),
  strayProof: request('RFC9449-7.2', 'a DPoP proof does not go with the Bearer scheme'),
  // The access token
  tooLong: token('RFC6750-3.1', 'the access token is too long'),
  schemeNotTaken: token('RFC9449-7.2', 'this API takes DPoP-bound access tokens with the DPoP scheme only'),
  boundAsBearer: token('RFC9449-7.2', 'a DPoP-bound access token was sent with the Bearer scheme'),
  dpopNotTaken: token('RFC6750-2.1', 'this API takes access tokens with the Bearer scheme only'),
  notJwt: token('RFC9068-4', 'the access token is not a JWT that this API can read'),
  notDecryptable: token('RFC7516-5.2', 'the access token cannot be decrypted'),
  typ: token('RFC9068-4-typ', 'the access token is of another type'),
  alg: token('RFC8725-3.1', "the access token's alg is not accepted"),
  crit: token('RFC7515-4.1.11', 'the access token has header parameters that are not accepted'),
  iss: token('RFC9068-4-iss', 'the access token is from another issuer'),
  aud: token('RFC9068-4-aud', 'the access token is for another audience'),
  exp: token('RFC9068-4-exp', 'the access token has expired'),
  nbf: token('RFC7519-4.1.5', 'the access token is not valid yet'),
  iat: token('RFC7519-4.1.6', "the access token's iat is missing or unusable"),
  claims: token('RFC9068-2.2', 'the access token lacks a required claim'),
  cnf: token('RFC7800-3.1', "the access token's confirmation is not understood"),
  unbound: token('RFC9449-6.1', 'the access token is not bound to a key'),
  jkt: token('RFC9449-4.3-12b', 'Invalid DPoP key binding'),
  certificate: token('RFC8705-3', 'the access token is bound to another certificate'),
  unknownKey: token('RFC7515-4.1.4', "the access token's key is not one of the issuer's"),
  tokenSignature: token('RFC9068-4-signature', "the access token's signature does not hold"),
  inactive: token('RFC7662-2.2', 'the access token is not active'),
  revoked: token('FAPI2-5.3.4-3', 'the access token was revoked'),
  // The nonce
  nonceRequired: new AuthError('use_dpop_nonce', 'RFC9449-9', 'the proof needs the nonce of this response'),
  // What the token is good for
  scope: new AuthError('insufficient_scope', 'RFC6750-3.1', 'the access token lacks a scope'),
  authorizationDetails: new AuthError(
    'insufficient_scope',
    'RFC9396-9',
    'the access token lacks authorization details',
  ),
  acr: new AuthError('insufficient_user_authentication', 'RFC9470-3', 'a stronger user authentication is required'),
  maxAge: new AuthError(
    'insufficient_user_authentication',
    'RFC9470-3',
    'a more recent user authentication is required',
  ),
  // What we cannot know
  issuerUnavailable: unavailable('FAPI2-5.3.4-3', 'the access token cannot be checked at the moment'),
  revocationUnavailable: unavailable('FAPI2-5.3.4-3', 'whether the access token was revoked cannot be checked'),
  replayUnavailable: unavailable('RFC9449-11.1', 'the proof cannot be checked at the moment'),
} as const

const proofRefusals = new Map<ProofFault, AuthError>(
  Object.values(proofFaults).map((fault) => [fault, new AuthError('invalid_dpop_proof', fault.check, fault.text)]),
)

export function proofRefusal(fault: ProofFault): AuthError {
  return proofRefusals.get(fault) ?? new AuthError('invalid_dpop_proof', fault.check, fault.text)
}

export function refuseProof(fault: ProofFault): never {
  throw proofRefusal(fault)
}
