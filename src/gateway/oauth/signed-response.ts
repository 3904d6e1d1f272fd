import { errors, jwtVerify } from 'jose'
import { UpstreamError } from '../../errors.js'
import { type IssuerKeys, isKeySetOutOfReach } from './issuer-keys.js'
import { refuse } from './oauth-error.js'

export interface SignedResponseChecks {
  /** Of the login: of no other server an answer is believed. */
  readonly issuer: string
  readonly clientId: string
  readonly algorithms: readonly string[]
  readonly keys: IssuerKeys
  /** Whose browser brought it. */
  readonly network: string
  readonly now: () => number
}

/** Seconds that the server's clock may be off ours. */
const clockTolerance = 30

/**
 * The parameters of a signed authorization response: nothing of it is believed before signature, issuer, audience and time
 * hold.
 * @see {@link https://openid.net/specs/oauth-v2-jarm-final.html#section-2.4 JARM §2.4}
 * @throws UpstreamError `invalid_response` when it is not genuine, others when that cannot be known
 */
export async function readSignedResponse(jwt: string, checks: SignedResponseChecks): Promise<URLSearchParams> {
  const { issuer, clientId, algorithms, keys, network, now } = checks
  const expected = {
    algorithms: [...algorithms],
    issuer,
    audience: clientId,
    clockTolerance,
    currentDate: new Date(now() * 1000),
    requiredClaims: ['iss', 'aud', 'exp'],
  }
  try {
    const { payload } = await keys.verify((find) => jwtVerify(jwt, find, expected), { network })
    const { aud: _, ...claims } = payload
    // Parameters are texts (JARM §2.1); times are about the JWT.
    const texts = Object.entries(claims).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    return new URLSearchParams(texts)
  } catch (error) {
    if (isKeySetOutOfReach(error)) refuse(error)
    const claim = error instanceof errors.JWTClaimValidationFailed ? ` at "${error.claim}"` : ''
    const code = error instanceof errors.JOSEError ? error.code : 'no code'
    throw new UpstreamError('invalid_response', `the signed authorization response is not valid (${code}${claim})`)
  }
}
