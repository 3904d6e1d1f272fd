import { importJWK, type JWK, jwtVerify } from 'jose'
import type { Report } from './_checks.js'

export interface ExpectedRequestObject {
  readonly clientId: string
  readonly publicJwk: JWK
  readonly issuer: string
}

/** Claims that are about the JWT. All others are parameters of the request. */
const ofTheJwt = ['iss', 'aud', 'exp', 'nbf', 'iat', 'jti']

/** FAPI 2.0 Message Signing §5.3.2: the parameters of what was pushed, which have to be inside the request object, all of them. */
export async function checkRequestObject(
  form: URLSearchParams,
  { clientId, publicJwk, issuer }: ExpectedRequestObject,
  report: Report,
): Promise<URLSearchParams> {
  const outside = [...form.keys()].filter(
    (name) => !['client_id', 'client_assertion', 'client_assertion_type', 'request'].includes(name),
  )
  if (outside.length > 0) report(`outside the request object: ${outside.join()}`)
  const parameters = new URLSearchParams()
  try {
    const key = await importJWK(publicJwk, publicJwk.alg)
    const { payload, protectedHeader } = await jwtVerify(form.get('request') ?? '', key, {
      issuer: clientId,
      audience: issuer,
      algorithms: ['PS256', 'ES256', 'EdDSA', 'Ed25519'],
      requiredClaims: ['exp', 'nbf', 'client_id', 'redirect_uri', 'code_challenge'],
      clockTolerance: 300,
    })
    const now = Date.now() / 1000
    if (protectedHeader.alg !== publicJwk.alg) report(`request object: alg ${protectedHeader.alg}`)
    if (protectedHeader.typ !== 'oauth-authz-req+jwt') report(`request object: typ ${protectedHeader.typ}`)
    if ((payload.exp ?? 0) > now + 3600) report('request object: exp is more than an hour ahead')
    if ((payload.nbf ?? 0) < now - 3600) report('request object: nbf is more than an hour ago')
    if (payload.jti !== undefined && typeof payload.jti !== 'string') report('request object: jti')
    if (payload.client_id !== clientId) report(`request object: client_id ${payload.client_id}`)
    if (payload.sub === clientId) report('request object: sub is the client')
    if (payload.max_age !== undefined && typeof payload.max_age !== 'number') report('request object: max_age')
    if ('request' in payload || 'request_uri' in payload) report('request object: request or request_uri inside')
    for (const [name, value] of Object.entries(payload))
      if (!ofTheJwt.includes(name)) parameters.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  } catch (error) {
    report(`request object: ${error}`)
  }
  return parameters
}
