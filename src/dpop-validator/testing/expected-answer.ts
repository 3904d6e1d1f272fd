import type { RawResponse } from './raw-request.js'

/** The answers an API may give. `Bearer` ones are those for a token that was sent with that scheme. */
export type ExpectedAnswer =
  | 'accepted'
  | 'missing_credentials'
  | 'invalid_request'
  | 'invalid_token'
  | 'invalid_token (Bearer)'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_scope'
  | 'unavailable'
  /** The HTTP server itself refuses: 400 or 431, before any middleware. */
  | 'refused by the server'

/**
 * What is wrong with a response; undefined when it is as it should be.
 * @param precision `exact`: status, scheme, `error` and `algs` as RFC 9449 and 6750 have them. `refused`: any 4xx.
 */
export function faultOf(
  expected: ExpectedAnswer,
  response: RawResponse,
  precision: 'exact' | 'refused',
): string | undefined {
  const { status } = response
  if (expected === 'accepted') return status < 400 ? undefined : `expected 2xx, got ${described(response)}`
  if (expected === 'unavailable') return status === 503 ? undefined : `expected 503, got ${described(response)}`
  if (status < 400 || status >= 500) return `expected ${expected}, got ${described(response)}`
  if (precision === 'refused') return undefined
  if (expected === 'refused by the server')
    return status === 400 || status === 431 ? undefined : `expected 400 or 431, got ${described(response)}`

  // Challenges may share one field line.
  const challenges = valuesOf(response, 'www-authenticate').flatMap((value) => value.split(/, (?=(?:DPoP|Bearer)\b)/))
  const scheme = expected === 'invalid_token (Bearer)' ? 'Bearer' : 'DPoP'
  const challenge = challenges.find((value) => value.startsWith(`${scheme} `))
  const error = expected.replace(' (Bearer)', '')
  const faults = [
    status === statusOf(expected) ? undefined : `status ${status} instead of ${statusOf(expected)}`,
    challenge === undefined ? `no ${scheme} challenge` : undefined,
    expected === 'missing_credentials'
      ? challenge?.includes('error')
        ? 'an error where there was no credential'
        : undefined
      : challenge?.startsWith(`${scheme} error="${error}"`)
        ? undefined
        : `not error="${error}"`,
    challenges.some((value) => /^DPoP .*\balgs="[A-Za-z0-9 ]+"/.test(value))
      ? undefined
      : 'no algs for the DPoP scheme',
    valuesOf(response, 'cache-control').includes('no-store') ? undefined : 'not Cache-Control: no-store',
    /error_description="[^"]*[^\x20\x21\x23-\x5b\x5d-\x7e"][^"]*"/.test(challenge ?? '')
      ? 'error_description with other characters than RFC 6750 §3 allows'
      : undefined,
    valuesOf(response, 'dpop-nonce').length > (expected === 'use_dpop_nonce' ? 1 : 0) &&
    expected !== 'invalid_dpop_proof'
      ? 'a DPoP-Nonce too many'
      : undefined,
    expected === 'use_dpop_nonce' && !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(valuesOf(response, 'dpop-nonce')[0] ?? '')
      ? 'no usable DPoP-Nonce'
      : undefined,
  ].filter((fault) => fault !== undefined)
  return faults.length === 0 ? undefined : `${faults.join('; ')} in ${described(response)}`
}

function statusOf(expected: ExpectedAnswer): number {
  return expected === 'invalid_request' ? 400 : expected === 'insufficient_scope' ? 403 : 401
}

export function valuesOf({ headers }: RawResponse, wanted: string): readonly string[] {
  return headers.filter(([name]) => name === wanted).map(([, value]) => value)
}

function described(response: RawResponse): string {
  return `${response.status} ${valuesOf(response, 'www-authenticate').join(' | ')}`.trim()
}
