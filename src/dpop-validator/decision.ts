import { hash } from 'node:crypto'
import { proofFaults } from '../dpop/checks.js'
import { widestNetworkOf } from '../http/limits/networks.js'
import { signatureHolds, signatureHoldsInPool } from '../jose/algorithm.js'
import type { Exchange, Presentation } from './adapters/exchange.js'
import { type AccessTokenClaims, Auth, type Lacks } from './auth.js'
import { after, inOrder } from './maybe-async.js'
import type { Observer } from './observer.js'
import type { NoncePolicy } from './proof/nonce-policy.js'
import { createProofReader, type PresentedProof } from './proof/presented-proof.js'
import { createReplayProtection } from './proof/replay-protection.js'
import type { ApiRequest } from './request/api-request.js'
import { assertToken68, readCredentials } from './request/credentials.js'
import { type HeaderFields, readHeaderFields } from './request/header-fields.js'
import { type RequestUris, readRequestTarget } from './request/request-uri.js'
import { assertSufficient } from './request/requirements.js'
import { refusals, refuseProof } from './response/auth-error.js'
import type { ResourceMetadata } from './response/resource-metadata.js'
import type { Settings } from './settings/settings.js'
import type { TrustedIssuer, VerifiedToken } from './token/access-token.js'
import { assertBound } from './token/token-binding.js'
import { createTokenCache } from './token/token-cache.js'
import type { TokenContent } from './token/token-claims.js'
import type { IsRevoked } from './token/token-revocation.js'
import { createTokenVerifier, type TokenBearer } from './token/token-verifier.js'
import type { ResponseHeaders, Verdict } from './verdict.js'

export interface DecisionOptions {
  readonly settings: Settings
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  readonly metadata: ResourceMetadata | undefined
  readonly requestUris: RequestUris
  readonly nonces: NoncePolicy | undefined
  readonly isRevoked: IsRevoked
  readonly observer: Observer
  readonly lacks: Lacks
}

/** @throws AuthError, UpstreamError at once where nothing has to be waited for */
export type Decide<Claims extends AccessTokenClaims> = (
  exchange: Exchange,
) => Verdict<Claims> | Promise<Verdict<Claims>>

const noHeaders: ResponseHeaders = []

/** The checks in order: the cheap ones, the signatures, and last what a refused request must not use up. */
export function createDecision<Claims extends AccessTokenClaims>({
  settings,
  issuers,
  metadata,
  requestUris,
  nonces,
  isRevoked,
  observer,
  lacks,
}: DecisionOptions): Decide<Claims> {
  const { mode, now, decrypt, proof: limits, token: tokenLimits } = settings
  const holds = settings.crypto === 'pool' ? signatureHoldsInPool : signatureHolds
  const verifyToken = createTokenVerifier({
    issuers,
    decrypt,
    clockSkew: tokenLimits.clockSkew,
    cacheTtl: tokenLimits.ttl,
    signatureHolds: holds,
  })
  const tokens = createTokenCache(tokenLimits.max)
  const proofs = createProofReader({ algorithms: settings.algorithms, ...limits, maxKeys: tokenLimits.max })
  const firstUse = createReplayProtection(settings)
  const everyRequest = { scopes: settings.scopes }
  const checks = [proofIsSigned, nonceIsOurs, tokenIsSufficient, tokenIsNotRevoked, proofIsUsedOnce]

  return (exchange) => {
    const { request, requirements } = exchange
    const fields = readHeaderFields(request.rawHeaders)
    const target = readRequestTarget(request.target)
    const uris = requestUris(target, fields)
    if (metadata?.isAt(target.path, request.method)) return { kind: 'public', answer: metadata.answer }
    if (settings.cors && isPreflight(request, fields)) return { kind: 'preflight' }

    const { scheme, token } = readCredentials(fields, target.query, tokenLimits.maxLength)
    const at = now()
    const ath = hash('sha256', token, 'base64url')
    const known = tokens.recall(ath, at)
    if (known === undefined) assertToken68(token)
    exchange.scheme = scheme
    if (scheme === 'Bearer' && mode === 'dpop') throw refusals.schemeNotTaken
    if (scheme === 'DPoP' && mode === 'bearer') throw refusals.dpopNotTaken
    const occasion = { fields, uris, token }
    exchange.occasion = occasion
    exchange.content = known
    const proof =
      scheme === 'DPoP' ? proofs.read(fields, { method: request.method, uris, ath, now: at, token: known }) : undefined

    const assertUse = (content: TokenContent): void => {
      exchange.content = content
      assertBound(content, { scheme, proof, fields, request }, mode)
      exchange.beforeCrypto = false
    }
    const withToken = (verified: VerifiedToken): Verdict<Claims> | Promise<Verdict<Claims>> => {
      assertUse(verified)
      const presentation = { request, requirements, scheme, token, verified, proof, known: verified === known, at }
      return after(inOrder(checks, presentation), () => accepted(presentation))
    }
    if (known !== undefined) return withToken(known)
    const bearer: TokenBearer = {
      assertUse,
      assertSigned() {
        exchange.beforeCrypto = false
        return assertSigned(proof)
      },
      opened(jwt) {
        occasion.token = jwt
      },
      network: () => (proof?.isKnownKey ? undefined : widestNetworkOf(request.peer ?? '')),
    }
    return after(verifyToken(token, at, bearer), (verified) => {
      tokens.remember(ath, verified)
      return withToken(verified)
    })
  }

  /** Once: where the issuer has to be asked about a token, the proof was looked at before. */
  function assertSigned(proof: PresentedProof | undefined): undefined | Promise<undefined> {
    if (proof === undefined || proof.isSigned) return undefined
    return after(holds(proof.key(), proof.signed, proof.signature), (held) => {
      if (!held) refuseProof(proofFaults.signature)
      proof.isSigned = true
      return undefined
    })
  }

  function proofIsSigned({ proof, verified }: Presentation): undefined | Promise<undefined> {
    if (proof === undefined) return undefined
    return after(assertSigned(proof), () => {
      proofs.remember(proof, verified)
      return undefined
    })
  }

  function nonceIsOurs({ proof, at }: Presentation): undefined {
    if (proof !== undefined) nonces?.assertNonce(proof.jkt, proof.claims.nonce, at - proof.claims.iat)
  }

  function tokenIsSufficient({ requirements, verified: { scopes, claims }, at }: Presentation): undefined {
    assertSufficient(scopes, claims, everyRequest, at)
    assertSufficient(scopes, claims, requirements, at)
  }

  function tokenIsNotRevoked({ verified }: Presentation): undefined | Promise<undefined> {
    return after(isRevoked(verified), (revoked) => {
      if (revoked) throw refusals.revoked
      return undefined
    })
  }

  function proofIsUsedOnce({ proof }: Presentation): undefined | Promise<undefined> {
    if (proof === undefined) return undefined
    return after(firstUse(proof), (first) => {
      if (first) return undefined
      nonces?.suspect(proof.jkt)
      return refuseProof(proofFaults.replayed)
    })
  }

  function accepted({
    request,
    requirements,
    scheme,
    token,
    verified,
    proof,
    known,
    at,
  }: Presentation): Verdict<Claims> {
    const { claims } = proof ?? {}
    const about = claims && { jti: claims.jti, iat: claims.iat, age: at - claims.iat, nonce: claims.nonce }
    const auth = new Auth<Claims>(scheme, token, verified, about, known, requirements, request, lacks)
    observer.accepted(auth, request)
    const nonce = proof && nonces?.ahead(proof.jkt, claims?.nonce)
    return { kind: 'accepted', auth, headers: nonce === undefined ? noHeaders : [['DPoP-Nonce', nonce]] }
  }
}

function isPreflight({ method }: ApiRequest, { authorizations, origin, preflight }: HeaderFields): boolean {
  return method === 'OPTIONS' && preflight && origin !== undefined && authorizations === 0
}
