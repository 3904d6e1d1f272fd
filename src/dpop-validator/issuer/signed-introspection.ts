import { UpstreamError } from '../../errors.js'
import { type JwsAlgorithm, signatureHolds } from '../../jose/algorithm.js'
import { type JsonObject, readCompactJws } from '../../jose/compact-jws.js'
import { joseType } from '../../jose/jose-type.js'
import { isJsonObject } from '../../jose/json-object.js'
import { verifyAccessToken } from '../token/access-token.js'
import type { IssuerKeys } from './issuer-keys.js'

export const signedIntrospectionType = 'application/token-introspection+jwt'

export interface SignedIntrospectionChecks {
  readonly issuer: string
  /** This API, as the issuer knows it: whom the answer is for. */
  readonly clientId: string
  readonly algorithms: readonly JwsAlgorithm[]
  readonly keys: IssuerKeys
  readonly clockSkew: number
  readonly now: number
}

/**
 * What the issuer says of a token, once its signature holds.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9701#section-5 RFC 9701 §5}
 * @throws UpstreamError
 */
export async function readSignedIntrospection(
  jwt: string,
  { issuer, clientId, algorithms, keys, clockSkew, now }: SignedIntrospectionChecks,
): Promise<Record<string, unknown>> {
  const jws = readCompactJws(jwt)
  if (jws === undefined) refuse('is no JWT')
  const { header, claims, signed, signature } = jws
  const algorithm = algorithms.find((name) => name === header.alg)
  if (algorithm === undefined) refuse('is signed with an algorithm that is not allowed')
  if (joseType(header) !== 'token-introspection+jwt') refuse('is another kind of JWT')
  if (hasExtensions(header)) refuse('has critical extensions')
  const kid = typeof header.kid === 'string' ? header.kid : undefined
  try {
    await verifyAccessToken({ trusted: { keys }, algorithm, kid, signed, signature }, signatureHolds)
  } catch (cause) {
    if (cause instanceof UpstreamError) throw cause
    refuse('has a signature that does not hold')
  }
  const { iss, aud, iat, token_introspection: state } = claims
  if (iss !== issuer) refuse('is of another issuer')
  if (aud !== clientId && !(Array.isArray(aud) && aud.includes(clientId))) refuse('is for another client')
  if (typeof iat !== 'number' || Math.abs(now - iat) > maxAge + clockSkew) refuse('is not of now')
  if (!isJsonObject(state)) refuse('has no token_introspection')
  return state
}

/** Seconds: it was asked for a moment ago. */
const maxAge = 60

function hasExtensions(header: JsonObject): boolean {
  return 'crit' in header || 'zip' in header || 'b64' in header
}

function refuse(what: string): never {
  throw new UpstreamError('invalid_response', `the signed introspection response ${what}`)
}
