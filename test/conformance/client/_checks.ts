import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { calculateJwkThumbprint, decodeProtectedHeader, EmbeddedJWK, importJWK, type JWK, jwtVerify } from 'jose'

const fapi = ['PS256', 'ES256', 'EdDSA', 'Ed25519']

/** Where what a client did wrong is written down. */
export type Report = (violation: string) => void

/** Identifiers that may come once only. */
export interface OnceOnly {
  add(jti: unknown, what: string): void
}

export function onceOnly(report: Report): OnceOnly {
  const seen = new Set<unknown>()
  return {
    add(jti, what) {
      if (typeof jti !== 'string' || jti === '') report(`${what}: no jti`)
      if (seen.has(jti)) report(`${what}: a jti used before`)
      seen.add(jti)
    },
  }
}

export interface ExpectedAssertion {
  readonly clientId: string
  readonly publicJwk: JWK
  readonly issuer: string
}

/** FAPI 2.0 §5.3.3.1-5 and RFC 7523 §3: a client authenticates in just this way. False: it could not be verified. */
export async function checkAssertion(
  form: URLSearchParams,
  { clientId, publicJwk, issuer }: ExpectedAssertion,
  jtis: OnceOnly,
  report: Report,
): Promise<boolean> {
  if (form.get('client_assertion_type') !== 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
    report('client_assertion_type')
  if (form.has('client_secret')) report('a client_secret')
  if (form.has('client_id') && form.get('client_id') !== clientId) report('another client_id beside the assertion')
  try {
    const { payload, protectedHeader } = await jwtVerify(
      form.get('client_assertion') ?? '',
      await importJWK(publicJwk, publicJwk.alg),
      {
        issuer: clientId,
        subject: clientId,
        algorithms: fapi,
        requiredClaims: ['exp', 'iat', 'sub'],
        clockTolerance: 5,
      },
    )
    if (protectedHeader.alg !== publicJwk.alg) report(`assertion: alg ${protectedHeader.alg}`)
    if (protectedHeader.kid !== undefined && protectedHeader.kid !== publicJwk.kid) report('assertion: kid')
    if (payload.aud !== issuer) report(`assertion: aud ${JSON.stringify(payload.aud)} is not the issuer as a string`)
    if ((payload.exp ?? 0) > Date.now() / 1000 + 86_400) report('assertion: exp is more than a day ahead')
    jtis.add(payload.jti, 'assertion')
    return true
  } catch (error) {
    report(`assertion: ${error}`)
    return false
  }
}

export interface ExpectedProof {
  readonly method: string
  readonly url: string
  /** Present at protected resources only. */
  readonly accessToken?: string
  /** The nonce that has to be in it; undefined when none was handed out. */
  readonly nonce: string | undefined
}

export type CheckedProof =
  | { readonly kind: 'absent' }
  | { readonly kind: 'challenge'; readonly jkt: string }
  | { readonly kind: 'good'; readonly jkt: string }

/** RFC 9449 §4.3, with `htu` compared as a string: the suite does not normalize. */
export async function checkProof(
  request: IncomingMessage,
  { method, url, accessToken, nonce }: ExpectedProof,
  jtis: OnceOnly,
  report: Report,
): Promise<CheckedProof> {
  const lines = request.headersDistinct.dpop ?? []
  const [proof] = lines
  if (proof === undefined) return { kind: 'absent' }
  if (lines.length > 1) report('more than one DPoP header')
  try {
    const { jwk = {} } = decodeProtectedHeader(proof)
    const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: fapi })
    for (const member of ['d', 'p', 'q', 'k']) if (member in jwk) report('proof: a private key')
    if (payload.htm !== method) report(`proof: htm ${payload.htm}`)
    if (payload.htu !== url) report(`proof: htu ${payload.htu} is not ${url}`)
    if (Math.abs((payload.iat ?? 0) - Date.now() / 1000) > 300) report(`proof: iat ${payload.iat}`)
    const ath = accessToken && createHash('sha256').update(accessToken).digest('base64url')
    if (payload.ath !== ath) report(`proof: ath ${payload.ath}`)
    jtis.add(payload.jti, 'proof')
    const jkt = await calculateJwkThumbprint(jwk)
    return { kind: payload.nonce === nonce ? 'good' : 'challenge', jkt }
  } catch (error) {
    report(`proof: ${error}`)
    return { kind: 'absent' }
  }
}
