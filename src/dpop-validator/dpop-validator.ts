import cluster from 'node:cluster'
import { hash } from 'node:crypto'
import { decodeJsonSegment } from '../dpop/compact-jws.js'
import { isJsonObject } from '../dpop/json-object.js'
import { signatureHolds, signatureHoldsInPool } from '../dpop/jws-algorithm.js'
import { proofFaults } from '../dpop/proof-checks.js'
import { UpstreamError } from '../errors.js'
import { createBoundedCache } from '../store/bounded-cache.js'
import type { TokenContent, VerifiedToken } from './access-token.js'
import { after } from './after.js'
import { type Answer, createAnswers } from './answer.js'
import type { ApiRequest } from './api-request.js'
import { type AccessTokenClaims, Auth } from './auth.js'
import { AuthError, proofRefusal, refusals, refuseProof } from './auth-error.js'
import { assertToken68, readCredentials, type Scheme } from './credentials.js'
import { type ExplainedCheck, explainProof } from './explain.js'
import { type HeaderFields, readHeaderFields, valuesOf } from './header-fields.js'
import { htuHint } from './htu-hint.js'
import { createNoncePolicy } from './nonce-policy.js'
import { createObserver } from './observer.js'
import type { VerifierOptions } from './options.js'
import { createProofReader, type PresentedProof } from './presented-proof.js'
import { createClusterReplayMemory } from './replay-cluster.js'
import {
  createLocalReplayMemory,
  createReplayMemoryWithFallback,
  createSharedReplayMemory,
  proofUse,
  type ReplayMemory,
} from './replay-memory.js'
import { createRequestUris, readRequestTarget } from './request-uri.js'
import { assertSufficient, type Requirements } from './requirements.js'
import { createResourceMetadata } from './resource-metadata.js'
import { createSettings, type Settings } from './settings.js'
import { createTokenVerifier } from './token-verifier.js'
import { createTrustedIssuer } from './trusted-issuer.js'

export type { ApiRequest } from './api-request.js'
export { fromIncomingMessage } from './api-request.js'
export type { AccessTokenClaims, AuthProof } from './auth.js'
export { Auth } from './auth.js'
export type { AuthErrorCode } from './auth-error.js'
export { AuthError } from './auth-error.js'
export type { ExplainedCheck, ExplainedProof } from './explain.js'
export { explainProof, explanationText } from './explain.js'
export type { IssuerOptions, VerifierOptions } from './options.js'
export type { Requirements } from './requirements.js'

/** Header fields for the response of a request that is let through. */
export type ResponseHeaders = readonly (readonly [name: string, value: string])[]

export type Verdict<Claims extends AccessTokenClaims = AccessTokenClaims> =
  | { readonly kind: 'accepted'; readonly auth: Auth<Claims>; readonly headers: ResponseHeaders }
  /** A CORS preflight: it carries no token and wants none. */
  | { readonly kind: 'preflight' }
  /** Our own metadata, which everybody may read. */
  | { readonly kind: 'public'; readonly answer: Answer }
  | { readonly kind: 'refused'; readonly error: AuthError; readonly answer: Answer }

export interface Verifier<Claims extends AccessTokenClaims = AccessTokenClaims> {
  /** Decides about a request: at once where nothing has to be waited for. */
  verify(request: ApiRequest, requirements?: Requirements): Verdict<Claims> | Promise<Verdict<Claims>>
  /** Fetches the keys of every issuer, so that the first request need not wait. @throws UpstreamError */
  ready(): Promise<void>
  /** All checks of a request's proof, with what was expected and what was there. For development: never answer with it. */
  explain(request: ApiRequest): readonly ExplainedCheck[]
  /** Counters in Prometheus' text format. */
  metrics(): string
}

const noHeaders: ResponseHeaders = []
const noRequirements: Requirements = {}

/**
 * Checks token, proof and binding of the requests to an API.
 * @throws ConfigurationError with everything that is wrong at once
 */
export function createVerifier<Claims extends AccessTokenClaims = AccessTokenClaims>(
  options: VerifierOptions,
): Verifier<Claims> {
  const settings = createSettings(options)
  const { mode, now, proof: limits } = settings
  const observer = createObserver(options.onEvent)
  const issuers = new Map(
    settings.issuers.map((issuer) => [issuer.issuer, createTrustedIssuer(issuer, settings, observer.emit)]),
  )
  const algorithms = settings.algorithms.filter((name) => name !== 'Ed25519')
  const takes = { dpop: mode !== 'bearer', bearer: mode !== 'dpop' }
  const metadata =
    settings.resource === undefined
      ? undefined
      : createResourceMetadata(settings.resource, [...issuers.keys()], algorithms, takes, {
          ...(settings.scopes.length > 0 && { scopes: settings.scopes }),
          ...options.resource,
        })
  const answer = createAnswers({
    takes,
    algorithms: algorithms.join(' '),
    realm: settings.realm,
    resourceMetadata: metadata?.url,
    exposeHeaders: settings.cors,
  })
  const holds = settings.crypto === 'pool' ? signatureHoldsInPool : signatureHolds
  const { decrypt, token: tokenLimits } = settings
  const verifyToken = createTokenVerifier({
    issuers,
    decrypt,
    clockSkew: tokenLimits.clockSkew,
    cacheTtl: tokenLimits.ttl,
    signatureHolds: holds,
  })
  const tokens = createBoundedCache<VerifiedToken>(tokenLimits.max)
  const proofs = createProofReader({ algorithms: settings.algorithms, ...limits, maxKeys: tokenLimits.max })
  const requestUris = createRequestUris(settings)
  const nonces = settings.nonce && createNoncePolicy(settings.nonce)
  const replays = createReplayMemory(settings)

  /** The checks in order: the cheap ones, the signatures, and last what a refused request must not use up. */
  function decide(exchange: Exchange, request: ApiRequest): Verdict<Claims> | Promise<Verdict<Claims>> {
    const fields = readHeaderFields(request.rawHeaders)
    const target = readRequestTarget(request.target)
    const uris = requestUris(request, target, fields)
    if (metadata?.isAt(target.path, request.method)) return { kind: 'public', answer: metadata.answer }
    if (settings.cors && isPreflight(request, fields)) return { kind: 'preflight' }

    const { scheme, token } = readCredentials(fields, target.query, tokenLimits.maxLength)
    const at = now()
    const ath = hash('sha256', token, 'base64url')
    const known = reusableToken(ath, at)
    if (known === undefined) assertToken68(token)
    exchange.scheme = scheme
    if (scheme === 'Bearer' && !takes.bearer) throw refusals.schemeNotTaken
    if (scheme === 'DPoP' && !takes.dpop) throw refusals.dpopNotTaken
    const occasion = { method: request.method, uris, ath, now: at, token: known }
    exchange.occasion = { fields, uris, token, jkt: known?.jkt }
    const proof = scheme === 'DPoP' ? proofs.read(fields, occasion) : undefined
    if (known !== undefined) return withToken(known)

    const assertBoundEarly = (content: TokenContent): void => {
      assertBound(content, scheme, proof, fields, request)
      exchange.beforeCrypto = false
    }
    return after(verifyToken(token, at, assertBoundEarly), (verified) => {
      tokens.set(ath, verified)
      return withToken(verified)
    })

    function withToken(verified: VerifiedToken): Verdict<Claims> | Promise<Verdict<Claims>> {
      assertBound(verified, scheme, proof, fields, request)
      exchange.beforeCrypto = false
      return after(proof === undefined || holds(proof.key(), proof.signed, proof.signature), (held) => {
        if (!held) refuseProof(proofFaults.signature)
        if (proof !== undefined) {
          proofs.remember(proof, verified)
          nonces?.assertNonce(proof.jkt, proof.claims.nonce, at - proof.claims.iat)
        }
        assertSufficient(verified.scopes, verified.claims, { scopes: settings.scopes }, at)
        assertSufficient(verified.scopes, verified.claims, exchange.requirements, at)
        return after(options.isRevoked?.(verified) ?? false, (revoked) => {
          if (revoked) throw refusals.revoked
          return after(proof === undefined || firstUse(proof), (first) => {
            if (!first && proof !== undefined) nonces?.suspect(proof.jkt)
            if (!first) refuseProof(proofFaults.replayed)
            return accepted(verified)
          })
        })
      })
    }

    function accepted(verified: VerifiedToken): Verdict<Claims> {
      const { claims } = proof ?? {}
      const about = claims && { jti: claims.jti, iat: claims.iat, age: at - claims.iat, nonce: claims.nonce }
      const auth = new Auth<Claims>(scheme, token, verified, about, verified === known, lacks)
      observer.accepted(auth)
      const nonce = proof && nonces?.ahead(proof.jkt, claims?.nonce)
      return { kind: 'accepted', auth, headers: nonce === undefined ? noHeaders : [['DPoP-Nonce', nonce]] }
    }
  }

  function reusableToken(ath: string, at: number): VerifiedToken | undefined {
    const token = tokens.get(ath)
    if (token === undefined) return undefined
    if (at < token.reusableUntil && token.signer?.retired !== true) return token
    tokens.delete(ath)
    return undefined
  }

  /** @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.2 RFC 9449 §7.2}, RFC 8705 §3 */
  function assertBound(
    { jkt, certificate }: TokenContent,
    scheme: Scheme,
    proof: PresentedProof | undefined,
    { proofs: stray }: HeaderFields,
    request: ApiRequest,
  ): void {
    if (scheme === 'DPoP') {
      if (jkt === undefined) throw refusals.unbound
      if (jkt !== proof?.jkt) throw refusals.jkt
    } else {
      if (jkt !== undefined) throw refusals.boundAsBearer
      if (certificate === undefined && mode === 'any-bound') throw refusals.unbound
      if (stray > 0) throw refusals.strayProof
    }
    if (certificate !== undefined && certificate !== thumbprintOf(request.clientCertificate?.()))
      throw refusals.certificate
  }

  function firstUse({ jkt, claims: { jti, iat } }: PresentedProof): boolean | Promise<boolean> {
    if (replays === undefined) return true
    try {
      const first = replays.firstUse(proofUse(jkt, jti), iat + limits.maxAge + limits.futureSkew)
      return first instanceof Promise ? first.catch(replayUnavailable) : first
    } catch (error) {
      return replayUnavailable(error)
    }
  }

  function refused(error: unknown, exchange: Exchange): Verdict<Claims> {
    if (error instanceof UpstreamError) return refused(refusals.issuerUnavailable, exchange)
    // Not a refusal but a mistake of ours, or of an option that is a function.
    if (!(error instanceof AuthError)) throw error
    const { scheme, requirements, occasion, beforeCrypto } = exchange
    observer.refused(error, beforeCrypto, () =>
      error === htuRefusal && occasion ? htuHint(occasion.fields.proof, occasion.uris) : undefined,
    )
    // Where the proof is missing the nonce comes along at once: it saves the client a round trip.
    const wantsNonce = error === refusals.nonceRequired || error === absentRefusal
    const nonce = wantsNonce && occasion ? nonces?.issue(occasion.jkt ?? claimedJkt(occasion.token)) : undefined
    const needed = { ...requirements, scopes: [...settings.scopes, ...(requirements.scopes ?? [])] }
    return { kind: 'refused', error, answer: answer(error, { scheme, nonce, requirements: needed }) }
  }

  function lacks({ scheme, scopes, claims }: Auth, requirements: Requirements): Answer | undefined {
    try {
      assertSufficient(scopes, claims, requirements, now())
      return undefined
    } catch (error) {
      if (!(error instanceof AuthError)) throw error
      observer.refused(error, false, () => undefined)
      return answer(error, { scheme, nonce: undefined, requirements })
    }
  }

  return {
    verify(request, requirements = noRequirements) {
      const exchange: Exchange = { scheme: undefined, beforeCrypto: true, occasion: undefined, requirements }
      try {
        const deciding = decide(exchange, request)
        return deciding instanceof Promise ? deciding.catch((error: unknown) => refused(error, exchange)) : deciding
      } catch (error) {
        return refused(error, exchange)
      }
    },

    async ready() {
      await Promise.all([...issuers.values()].map(({ keys }) => keys.ready()))
    },

    explain(request) {
      const fields = readHeaderFields(request.rawHeaders)
      const sent = valuesOf(request.rawHeaders, 'dpop')
      const accessToken = /^dpop +(.*)$/i.exec(fields.authorization ?? '')?.[1]
      const uris = requestUris(request, readRequestTarget(request.target), fields)
      return explainProof({
        method: request.method,
        uris,
        proofs: sent,
        accessToken,
        now: now(),
        ...limits,
        algorithms: settings.algorithms,
      })
    },

    metrics: () => observer.metrics(),
  }
}

/** What is known of a request while it is decided about. */
interface Exchange {
  scheme: Scheme | undefined
  beforeCrypto: boolean
  occasion:
    | {
        readonly fields: HeaderFields
        readonly uris: readonly string[]
        readonly token: string
        readonly jkt: string | undefined
      }
    | undefined
  readonly requirements: Requirements
}

const htuRefusal = proofRefusal(proofFaults.htu)
const absentRefusal = proofRefusal(proofFaults.absent)

function createReplayMemory({
  replay,
  replayCapacity,
  onReplayStoreError,
  now,
}: Pick<Settings, 'replay' | 'replayCapacity' | 'onReplayStoreError' | 'now'>): ReplayMemory | undefined {
  if (replay === false) return undefined
  const local = createLocalReplayMemory({ capacity: replayCapacity, now })
  if (replay === 'memory' || replay === 'memory-per-process') return local
  if (replay === 'cluster' && !cluster.isWorker) return local
  const shared = replay === 'cluster' ? createClusterReplayMemory() : createSharedReplayMemory(replay)
  return onReplayStoreError === 'local' ? createReplayMemoryWithFallback(shared, local) : shared
}

function replayUnavailable(error: unknown): never {
  throw error instanceof UpstreamError ? refusals.replayUnavailable : error
}

function isPreflight({ method }: ApiRequest, { authorizations, origin, preflight }: HeaderFields): boolean {
  return method === 'OPTIONS' && preflight && origin !== undefined && authorizations === 0
}

/** The key that a token says it is bound to. Not believed: a nonce for a key that is not theirs is of no use to anybody. */
function claimedJkt(token: string): string | undefined {
  const cnf = decodeJsonSegment(token.split('.')[1] ?? '')?.cnf
  return isJsonObject(cnf) && typeof cnf.jkt === 'string' ? cnf.jkt : undefined
}

function thumbprintOf(certificate: Buffer | undefined): string | undefined {
  return certificate && hash('sha256', certificate, 'base64url')
}
