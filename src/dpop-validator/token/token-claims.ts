import { isJsonObject } from '../../jose/json-object.js'
import { refusals } from '../response/auth-error.js'
import { elementsOf, type TokenProfile } from './token-profile.js'

/** What an access token says. Members beyond these are the issuer's. */
export interface AccessTokenClaims {
  /** Who issued it. */
  readonly iss: string
  /** Seconds since the epoch; from then on it is refused. */
  readonly exp: number
  /** Absent from some issuers' tokens, which name another audience: see the page "Protect an API". */
  readonly aud?: string | readonly string[]
  /** The user, or the client itself. */
  readonly sub?: string
  /** The client that it was issued to. */
  readonly client_id?: string
  /** Seconds since the epoch. */
  readonly iat?: number
  /** Its own name, for revocation. */
  readonly jti?: string
  /** Words with spaces between, or a list, as the issuer writes it. */
  readonly scope?: unknown
  /** Any other claim. */
  readonly [claim: string]: unknown
}

/** Whose tokens they are, and for whom. */
export interface TokenIssuer {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly profile: TokenProfile
}

/** What a token says, once it is believed. */
export interface TokenContent {
  readonly issuer: string
  readonly subject: string | undefined
  readonly clientId: string | undefined
  readonly scopes: ReadonlySet<string>
  readonly claims: AccessTokenClaims
  readonly header: Readonly<Record<string, unknown>>
  readonly jkt: string | undefined
  /** `x5t#S256` of the confirmation (RFC 8705 §3.1). */
  readonly certificate: string | undefined
}

/** The claims, wherever they come from: a JWT or an introspection response. */
export function readTokenClaims(
  claims: Record<string, unknown>,
  header: Readonly<Record<string, unknown>>,
  { issuer, audiences, profile }: TokenIssuer,
  clockSkew: number,
  now: number,
): TokenContent {
  const { exp, nbf, iat, sub } = claims
  if (!isForUs(audienceOf(claims, profile), audiences)) throw refusals.aud
  if (typeof exp !== 'number' || !(exp > now - clockSkew && exp < year10000)) throw refusals.exp
  // FAPI 2.0 §5.3.2.1-13: up to 10 seconds ahead must be accepted, whatever our own skew.
  const ahead = now + Math.max(clockSkew, 10)
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= ahead)) throw refusals.nbf
  if (iat !== undefined && !(typeof iat === 'number' && iat <= ahead)) throw refusals.iat
  for (const name of profile.requiredClaims) if (!isPresent(name, claims[name])) throw refusals.claims
  const clientId = profile.clientId.map((name) => claims[name]).find((value) => typeof value === 'string')
  const { jkt, certificate } = readConfirmation(claims.cnf)
  return {
    issuer,
    subject: typeof sub === 'string' ? sub : undefined,
    clientId,
    scopes: new Set(profile.scope.flatMap((name) => elementsOf(claims[name]))),
    claims: claims as AccessTokenClaims,
    header,
    jkt,
    certificate,
  }
}

/** An `aud` that says nothing, such as null, is there all the same. */
export function audienceOf(claims: Record<string, unknown>, { audience }: TokenProfile): unknown {
  return 'aud' in claims || audience === undefined ? claims.aud : claims[audience]
}

function isForUs(aud: unknown, audiences: readonly string[]): boolean {
  if (typeof aud === 'string') return audiences.includes(aud)
  return Array.isArray(aud) && aud.every((one) => typeof one === 'string') && aud.some((one) => audiences.includes(one))
}

/** An expiry beyond it is no date, and stands for a mistake rather than for eternity. */
const year10000 = 253_402_300_800

function isPresent(name: string, value: unknown): boolean {
  return name === 'iat' ? typeof value === 'number' : typeof value === 'string' && value !== ''
}

/** A confirmation that we do not understand is not one that we may overlook (RFC 7800 §3.1). */
function readConfirmation(cnf: unknown): Pick<TokenContent, 'jkt' | 'certificate'> {
  if (cnf === undefined) return { jkt: undefined, certificate: undefined }
  if (!isJsonObject(cnf)) throw refusals.cnf
  const { jkt, 'x5t#S256': certificate } = cnf
  if (jkt === undefined && certificate === undefined) throw refusals.cnf
  if (jkt !== undefined && !isThumbprint(jkt)) throw refusals.cnf
  if (certificate !== undefined && !isThumbprint(certificate)) throw refusals.cnf
  return { jkt, certificate }
}

function isThumbprint(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z0-9_-]{43}$/.test(value)
}
