import { joseType } from '../../jose/jose-type.js'
import type { TokenProfile } from './token-profile.js'

type Claims = Readonly<Record<string, unknown>>

/**
 * Whether a JWT of a trusted issuer is an access token at all: where a page and an API share one registration the issuer's
 * ID tokens, logout tokens and signed answers have the same keys and the same `aud`. What says that it is something else is
 * refused, and what does not say that it is an access token needs the marks of one.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3.11 RFC 8725 §3.11}
 */
export function isAccessToken(header: Claims, claims: Claims, { marks }: TokenProfile): boolean {
  if (isOfAnotherKind(claims)) return false
  const typ = joseType(header)
  if (typ === 'at+jwt') return true
  if (marks === undefined || !(typ === 'jwt' || header.typ === undefined)) return false
  if (onlyInIdTokens.some((name) => name in claims)) return false
  return marks.every((names) => names.some((name) => isSaid(claims[name])))
}

/** What the claims themselves say of their kind, wherever they come from: a JWT, or an introspection response. */
export function isOfAnotherKind(claims: Claims): boolean {
  return (
    onlyElsewhere.some((name) => name in claims) ||
    kindClaims.some((name) => name in claims && !isOneOf(accessTokenKinds, claims[name])) ||
    isOneOf(otherPurposes, claims.purpose)
  )
}

/** OpenID Connect Core §2 and §3.3.2.11, FAPI 1.0 Advanced §5.1.1. */
const onlyInIdTokens = ['nonce', 'at_hash', 'c_hash', 's_hash']

/** Logout tokens and security events (RFC 8417), DPoP proofs, introspection responses (RFC 9701), request objects, client metadata. */
const onlyElsewhere = ['events', 'htm', 'htu', 'token_introspection', 'response_type', 'redirect_uri', 'redirect_uris']

const kindClaims = ['typ', 'token_use', 'token_type']
const accessTokenKinds = ['bearer', 'dpop', 'access', 'access_token', 'at+jwt']

/** Curity's word. Elsewhere it may mean anything else. */
const otherPurposes = ['id', 'id_token', 'refresh', 'refresh_token']

function isOneOf(kinds: readonly string[], value: unknown): boolean {
  return typeof value === 'string' && kinds.includes(value.toLowerCase())
}

function isSaid(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || (Array.isArray(value) && value.length > 0)
}
