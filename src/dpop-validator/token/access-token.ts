import type { JwsAlgorithm, SignatureKey } from '../../jose/algorithm.js'
import { decodeBase64url, decodeJsonSegment, splitCompactJws } from '../../jose/compact-jws.js'
import { createBoundedCache } from '../../store/bounded-cache.js'
import type { Introspect } from '../issuer/introspection.js'
import type { IssuerKey, IssuerKeys } from '../issuer/issuer-keys.js'
import { after } from '../maybe-async.js'
import { refusals } from '../response/auth-error.js'
import { readTokenClaims, type TokenContent, type TokenIssuer } from './token-claims.js'
import { isAccessToken } from './token-kind.js'

/** An issuer, made ready. */
export interface TrustedIssuer extends TokenIssuer {
  readonly algorithms: readonly JwsAlgorithm[]
  readonly keys: IssuerKeys
  readonly introspection: IssuerIntrospection | undefined
}

/** What an issuer says itself of its tokens. */
export interface IssuerIntrospection {
  readonly introspect: Introspect
  readonly tokens: 'opaque' | 'all'
  /** Seconds an answer is good for. */
  readonly cacheTtl: number
}

/** A token that may be used again without a look at its signature. */
export interface VerifiedToken extends TokenContent {
  /** The key that vouches for it; undefined when the issuer itself did, at introspection. */
  readonly signer: IssuerKey | undefined
  /** Seconds since the epoch until which this may be reused. */
  readonly reusableUntil: number
  /** The proof key last seen with it, with the header segment it came in: the same header is the same key. */
  pinned: { readonly header: string; readonly jkt: string; readonly key: SignatureKey } | undefined
}

/** Everything about a token but its signature. */
export interface UnverifiedToken {
  readonly content: TokenContent
  readonly trusted: TrustedIssuer
  readonly algorithm: JwsAlgorithm
  readonly kid: string | undefined
  readonly signed: Buffer
  readonly signature: Buffer
}

export interface AccessTokenRules {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  /** Seconds our clock and the issuer's may be apart. */
  readonly clockSkew: number
  readonly headers: TokenHeaders
}

/** All tokens of one key have one header: it is read once. */
export interface TokenHeaders {
  decode(segment: string): Readonly<Record<string, unknown>> | undefined
}

export function createTokenHeaders(max = 100): TokenHeaders {
  const known = createBoundedCache<Readonly<Record<string, unknown>>>(max)
  return {
    decode(segment) {
      const header = known.get(segment)
      if (header !== undefined) return header
      const decoded = decodeJsonSegment(segment)
      if (decoded !== undefined) known.set(segment, decoded)
      return decoded
    },
  }
}

/**
 * The checks that cost nothing, so that no signature is checked in vain. Nothing of it is believed before
 * `verifyAccessToken`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 RFC 9068 §4}
 */
export function readAccessToken(
  token: string,
  { issuers, clockSkew, headers }: AccessTokenRules,
  now: number,
): UnverifiedToken {
  const jws = splitCompactJws(token)
  const header = jws && headers.decode(jws.header)
  const claims = jws && decodeJsonSegment(jws.payload)
  const signature = jws && decodeBase64url(jws.signature)
  if (!jws || !header || !claims || !signature) throw refusals.notJwt

  const { iss } = claims
  const trusted = typeof iss === 'string' ? issuers.get(iss) : undefined
  if (trusted === undefined) throw refusals.iss
  if (!isAccessToken(header, claims, trusted.profile)) throw refusals.typ
  const algorithm = trusted.algorithms.find((name) => name === header.alg)
  if (algorithm === undefined) throw refusals.alg
  if ('crit' in header || 'zip' in header || 'b64' in header) throw refusals.crit
  if (header.kid !== undefined && typeof header.kid !== 'string') throw refusals.unknownKey
  return {
    content: readTokenClaims(claims, header, trusted, clockSkew, now),
    trusted,
    algorithm,
    kid: header.kid,
    signed: Buffer.from(token.slice(0, token.lastIndexOf('.')), 'latin1'),
    signature,
  }
}

/** What the issuer has signed, whatever it says. */
export interface Signed extends Pick<UnverifiedToken, 'algorithm' | 'kid' | 'signed' | 'signature'> {
  readonly trusted: Pick<TrustedIssuer, 'keys'>
}

export type SignatureCheck = (key: SignatureKey, data: Buffer, signature: Buffer) => boolean | Promise<boolean>

/**
 * @returns the key that made the signature; at once where the keys are there and checks are made on this thread
 * @throws AuthError, UpstreamError when the issuer's keys cannot be had
 */
export function verifyAccessToken(
  { trusted, algorithm, kid, signed, signature }: Signed,
  signatureHolds: SignatureCheck,
): IssuerKey | Promise<IssuerKey> {
  return after(trusted.keys.find(algorithm, kid), (found) => {
    if (found.length === 0) throw refusals.unknownKey
    return after(signerAmong(found), (signer) => {
      if (signer !== undefined) return signer
      const again = trusted.keys.findAnew(algorithm, kid, found)
      if (again === undefined) throw refusals.tokenSignature
      return again.then(async (keys) => {
        const changed = await signerAmong(keys.filter((key) => !found.includes(key)))
        if (changed === undefined) throw refusals.tokenSignature
        return changed
      })
    })
  })

  function signerAmong([key, ...others]: readonly IssuerKey[]): undefined | IssuerKey | Promise<undefined | IssuerKey> {
    if (key === undefined) return undefined
    const imported = key.signatureKey(algorithm)
    return after(imported !== undefined && signatureHolds(imported, signed, signature), (holds) =>
      holds ? key : signerAmong(others),
    )
  }
}
