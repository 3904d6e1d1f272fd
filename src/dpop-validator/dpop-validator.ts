import { hash } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { decodeBase64url, decodeJsonSegment, splitCompactJws } from '../dpop/compact-jws.js'
import { type SignatureKey, signatureHolds, signatureHoldsInPool } from '../dpop/jws-algorithm.js'
import { type ProofClaims, proofFaults, readProofClaims, readProofHeader } from '../dpop/proof-checks.js'
import { importProofKey, readProofKey } from '../dpop/proof-key.js'
import { UpstreamError } from '../errors.js'
import { createBoundedCache } from '../store/bounded-cache.js'
import { channelName, type ValidatorEvent } from '../telemetry/events.js'
import { readAccessToken, type TokenContent, type VerifiedToken, verifyAccessToken } from './access-token.js'
import { type Answer, createAnswers } from './answer.js'
import type { ApiRequest } from './api-request.js'
import { type AccessTokenClaims, Auth } from './auth.js'
import { AuthError, refusals, refuseProof } from './auth-error.js'
import { readCredentials, type Scheme } from './credentials.js'
import { type HeaderFields, readHeaderFields } from './header-fields.js'
import type { VerifierOptions } from './options.js'
import { createLocalReplayMemory } from './replay-memory.js'
import { createRequestUris, readRequestTarget } from './request-uri.js'
import { assertSufficient, type Requirements } from './requirements.js'
import { createSettings } from './settings.js'

/** Header fields for the response of a request that is let through. */
export type ResponseHeaders = readonly (readonly [name: string, value: string])[]

export type Verdict<Claims extends AccessTokenClaims = AccessTokenClaims> =
  | { readonly kind: 'accepted'; readonly auth: Auth<Claims>; readonly headers: ResponseHeaders }
  /** A CORS preflight: it carries no token and wants none. */
  | { readonly kind: 'preflight'; readonly headers: ResponseHeaders }
  | { readonly kind: 'refused'; readonly error: AuthError; readonly answer: Answer }

export interface Verifier<Claims extends AccessTokenClaims = AccessTokenClaims> {
  /** Decides about a request: at once where nothing has to be waited for. */
  verify(request: ApiRequest, requirements?: Requirements): Verdict<Claims> | Promise<Verdict<Claims>>
  /** Fetches metadata and keys of every issuer. @throws UpstreamError */
  ready(): Promise<void>
}

/** A proof that has passed every check but those of its key and its signature. */
interface PresentedProof {
  readonly claims: ProofClaims
  /** The header segment, which stands for the key. */
  readonly header: string
  readonly jkt: string
  readonly key: () => SignatureKey | undefined
  readonly signed: Buffer
  readonly signature: Buffer
}

const nothing: ResponseHeaders = []
const noRequirements: Requirements = {}
const events = channel(channelName)

/**
 * Checks token, proof and binding of requests to an API.
 * @throws ConfigurationError with everything that is wrong at once
 */
export function createVerifier<Claims extends AccessTokenClaims = AccessTokenClaims>(
  options: VerifierOptions,
): Verifier<Claims> {
  const emit = (event: ValidatorEvent): void => {
    options.onEvent?.(event)
    if (events.hasSubscribers) events.publish(event)
  }
  const settings = createSettings(options, emit)
  const { issuers, mode, now, proof: limits } = settings
  const requestUris = createRequestUris(settings)
  const answer = createAnswers({
    mode,
    algorithms: settings.proofAlgorithms.filter((name) => name !== 'Ed25519').join(' '),
    realm: settings.realm,
    resourceMetadata: undefined,
    exposeHeaders: settings.cors,
  })
  const tokens = createBoundedCache<VerifiedToken>(settings.cache.max)
  const proofKeys = createBoundedCache<{ readonly jkt: string; readonly key: SignatureKey }>(settings.cache.max)
  const replays = createLocalReplayMemory({ capacity: 1_000_000, now })
  const holds = settings.crypto === 'pool' ? signatureHoldsInPool : signatureHolds
  const tokenRules = { issuers, clockSkew: settings.token.clockSkew }

  /** The checks in order: cheap ones, then signatures, then what a failed request must not use up. */
  function decide(
    exchange: Exchange,
    request: ApiRequest,
    requirements: Requirements,
  ): Verdict<Claims> | Promise<Verdict<Claims>> {
    const fields = readHeaderFields(request.rawHeaders)
    const target = readRequestTarget(request.target)
    const uris = requestUris(request, target, fields)
    if (settings.cors && isPreflight(request, fields)) return { kind: 'preflight', headers: nothing }
    const { scheme, token } = readCredentials(fields, target.query, settings.token.maxLength)
    exchange.scheme = scheme
    if (scheme === 'Bearer' && mode === 'dpop') throw refusals.schemeNotTaken
    if (scheme === 'DPoP' && mode === 'bearer') throw refusals.dpopNotTaken

    const at = now()
    const ath = hash('sha256', token, 'base64url')
    const known = reusableToken(ath, at)
    const proof = scheme === 'DPoP' ? readProof(fields, request.method, uris, ath, at, known) : undefined

    const withToken = (verified: VerifiedToken) => {
      assertBound(verified, scheme, proof, fields, request)
      return after(proof === undefined || proofHolds(proof, verified), (holds) => {
        if (!holds) refuseProof(proofFaults.signature)
        assertSufficient(verified, requirements)
        if (proof === undefined)
          return accepted(new Auth<Claims>(scheme, token, verified, undefined, verified === known))
        const { jti, iat, nonce } = proof.claims
        return after(firstUse(proof.jkt, jti, iat + limits.maxAge + limits.futureSkew), (first) => {
          if (!first) refuseProof(proofFaults.replayed)
          const about = { jti, iat, age: at - iat, nonce }
          return accepted(new Auth<Claims>(scheme, token, verified, about, verified === known))
        })
      })
    }
    if (known !== undefined) return withToken(known)
    const unverified = readAccessToken(token, tokenRules, at)
    assertBound(unverified, scheme, proof, fields, request)
    exchange.beforeCrypto = false
    return verifyAccessToken(unverified, holds).then((signer) => {
      const { issuer, subject, clientId, scopes, claims, header, jkt, certificate } = unverified
      const content = { issuer, subject, clientId, scopes, claims, header, jkt, certificate }
      const reusableUntil = Math.min(claims.exp + settings.token.clockSkew, at + settings.cache.ttl)
      const verified: VerifiedToken = { ...content, signer, reusableUntil, pinned: undefined }
      tokens.set(ath, verified)
      return withToken(verified)
    })

    function proofHolds({ header, key, signed, signature }: PresentedProof, verified: VerifiedToken) {
      exchange.beforeCrypto = false
      const imported = key() ?? refuseProof(proofFaults.jwk)
      return after(holds(imported, signed, signature), (held) => {
        // Only keys that a valid token is bound to get here, so nobody can fill the memory with others.
        if (held && verified.pinned?.header !== header) {
          verified.pinned = { header, key: imported }
          if (verified.jkt !== undefined) proofKeys.set(header, { jkt: verified.jkt, key: imported })
        }
        return held
      })
    }
  }

  function reusableToken(ath: string, at: number): VerifiedToken | undefined {
    const token = tokens.get(ath)
    if (token === undefined) return undefined
    if (at < token.reusableUntil && token.signer?.retired !== true) return token
    tokens.delete(ath)
    return undefined
  }

  function readProof(
    fields: HeaderFields,
    method: string,
    uris: readonly string[],
    ath: string,
    at: number,
    known: VerifiedToken | undefined,
  ): PresentedProof {
    if (fields.proof === undefined) return refuseProof(proofFaults.absent)
    if (fields.proofs > 1) refuseProof(proofFaults.several)
    if (fields.proof.length > limits.maxLength) refuseProof(proofFaults.tooLong)
    const jws = splitCompactJws(fields.proof) ?? refuseProof(proofFaults.notCompactJws)
    const { jkt, key } = readKey(jws.header, known)
    const claims = decodeJsonSegment(jws.payload) ?? refuseProof(proofFaults.notCompactJws)
    const expected = { method, uris, ath, now: at, ...limits }
    return {
      claims: readProofClaims(claims, expected, refuseProof),
      header: jws.header,
      jkt,
      key,
      signed: Buffer.from(fields.proof.slice(0, -jws.signature.length - 1), 'latin1'),
      signature: decodeBase64url(jws.signature) ?? refuseProof(proofFaults.notCompactJws),
    }
  }

  /** A header seen before, with a key that a valid token is bound to, need not be read again. */
  function readKey(
    segment: string,
    known: VerifiedToken | undefined,
  ): { readonly jkt: string; readonly key: () => SignatureKey | undefined } {
    const { pinned, jkt } = known ?? {}
    if (pinned !== undefined && jkt !== undefined && pinned.header === segment) return { jkt, key: () => pinned.key }
    const seen = proofKeys.get(segment)
    if (seen !== undefined) return { jkt: seen.jkt, key: () => seen.key }
    const header = decodeJsonSegment(segment) ?? refuseProof(proofFaults.notCompactJws)
    const algorithm = readProofHeader(header, settings.proofAlgorithms, refuseProof)
    const read = readProofKey(header.jwk, algorithm) ?? refuseProof(proofFaults.jwk)
    return { jkt: read.jkt, key: () => importProofKey(read, algorithm) }
  }

  function assertBound(
    { jkt, certificate }: TokenContent,
    scheme: Scheme,
    proof: PresentedProof | undefined,
    fields: HeaderFields,
    request: ApiRequest,
  ): void {
    if (scheme === 'DPoP') {
      if (jkt === undefined) throw refusals.unbound
      if (jkt !== proof?.jkt) throw refusals.jkt
    } else {
      if (jkt !== undefined) throw refusals.boundAsBearer
      if (certificate === undefined && mode === 'any-bound') throw refusals.unbound
      if (fields.proofs > 0) throw refusals.strayProof
    }
    if (certificate !== undefined && certificate !== thumbprintOf(request.clientCertificate?.()))
      throw refusals.certificate
  }

  function firstUse(jkt: string, jti: string, expiresAt: number): boolean | Promise<boolean> {
    return replays.firstUse(jkt, jti, expiresAt)
  }

  function accepted(auth: Auth<Claims>): Verdict<Claims> {
    return { kind: 'accepted', auth, headers: nothing }
  }

  function refused(error: unknown, exchange: Exchange, requirements: Requirements): Verdict<Claims> {
    if (error instanceof UpstreamError) return refused(refusals.issuerUnavailable, exchange, requirements)
    if (!(error instanceof AuthError)) throw error
    return {
      kind: 'refused',
      error,
      answer: answer(error, { scheme: exchange.scheme, nonce: undefined, requirements }),
    }
  }

  return {
    verify(request, requirements = noRequirements) {
      const exchange: Exchange = { scheme: undefined, beforeCrypto: true }
      try {
        const verdict = decide(exchange, request, requirements)
        return verdict instanceof Promise
          ? verdict.catch((error: unknown) => refused(error, exchange, requirements))
          : verdict
      } catch (error) {
        return refused(error, exchange, requirements)
      }
    },
    async ready() {
      await Promise.all([...issuers.values()].map(({ keys }) => keys.ready()))
    },
  }
}

/** What is known of a request while it is decided about. */
interface Exchange {
  scheme: Scheme | undefined
  beforeCrypto: boolean
}

/** Goes on at once when nothing has to be waited for: a turn of the event loop costs a tenth of a signature check. */
function after<Value, Result>(
  value: Value | Promise<Value>,
  next: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(next) : next(value)
}

function isPreflight({ method }: ApiRequest, { authorizations, origin, preflight }: HeaderFields): boolean {
  return method === 'OPTIONS' && preflight && origin !== undefined && authorizations === 0
}

function thumbprintOf(certificate: Buffer | undefined): string | undefined {
  return certificate && hash('sha256', certificate, 'base64url')
}
