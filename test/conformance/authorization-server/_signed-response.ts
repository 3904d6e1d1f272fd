import type { ExecutionContext } from 'ava'
import type { JWK } from 'jose'
import { verifiedJws } from '../_jose.js'
import type { ServerUnderTest } from './_server-under-test.js'

const ofSuccess = ['code', 'state', 'session_state', 'iss']
const ofErrors = ['error', 'error_description', 'error_uri', 'state', 'session_state', 'iss']

/** The parameters of a signed authorization response, once it is as JARM §2.1 wants it. */
export function signedResponse(
  t: ExecutionContext,
  jwt: string,
  { issuer, now }: ServerUnderTest,
  jwks: readonly JWK[],
  clientId: string,
): URLSearchParams {
  const verified = verifiedJws(jwt, jwks)
  if (verified === undefined) throw t.fail(`no published key has signed ${jwt}`)
  const { header, claims } = verified
  t.true(typeof header.kid === 'string', 'kid')
  t.true(['PS256', 'ES256', 'EdDSA', 'Ed25519'].includes(String(header.alg)), String(header.alg))
  t.is(claims.iss, issuer)
  t.true([claims.aud].flat().includes(clientId), `aud ${String(claims.aud)}`)
  const left = Number(claims.exp) - now()
  t.true(left > 10 && left <= 600, `exp in ${left} seconds`)
  const known = [...('error' in claims ? ofErrors : ofSuccess), 'aud', 'exp', 'iat', 'nbf']
  t.deepEqual(
    Object.keys(claims).filter((name) => !known.includes(name)),
    [],
    'unexpected members',
  )
  const { aud: _, ...parameters } = claims
  return new URLSearchParams(
    Object.entries(parameters).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
