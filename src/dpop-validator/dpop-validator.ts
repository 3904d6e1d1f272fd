import { type ExplainedCheck, explainProof } from '../dpop/explanation.js'
import type { Exchange } from './adapters/exchange.js'
import type { AccessTokenClaims } from './auth.js'
import { createDecision } from './decision.js'
import { createTrustedIssuer } from './issuer/trusted-issuer.js'
import { createObserver } from './observer.js'
import type { VerifierOptions } from './options.js'
import { createNoncePolicy } from './proof/nonce-policy.js'
import type { ApiRequest } from './request/api-request.js'
import { readHeaderFields, valuesOf } from './request/header-fields.js'
import { createRequestUris, readRequestTarget } from './request/request-uri.js'
import type { Requirements } from './request/requirements.js'
import { createAnswers } from './response/challenge.js'
import { createRefusal } from './response/error-response.js'
import { createResourceMetadata } from './response/resource-metadata.js'
import { createSettings } from './settings/settings.js'
import { createRevocationCheck } from './token/token-revocation.js'
import type { Verdict } from './verdict.js'

export { type ExplainedCheck, type ExplainedProof, explainProof } from '../dpop/explanation.js'
export type { HttpProxyOptions } from '../http/outgoing-proxy.js'
export type { AccessTokenClaims, AuthProof } from './auth.js'
export { Auth } from './auth.js'
export { explanationText } from './explain.js'
export type * from './options.js'
export type { ApiRequest } from './request/api-request.js'
export { fromIncomingMessage } from './request/api-request.js'
export type { AuthorizationDetailsRequirement, Requirements } from './request/requirements.js'
export type { AuthErrorCode } from './response/auth-error.js'
export { AuthError } from './response/auth-error.js'
export type { Answer } from './response/challenge.js'
export type { ResponseHeaders, Verdict } from './verdict.js'

/** Decides about the requests to one API. The adapters are made of it. */
export interface Verifier<Claims extends AccessTokenClaims = AccessTokenClaims> {
  /**
   * Decides about a request: at once where nothing has to be waited for. What is wrong with a request is in the verdict; an
   * outage too, as 503. It throws for what is a mistake of the program, such as an option that throws.
   */
  verify(request: ApiRequest, requirements?: Requirements): Verdict<Claims> | Promise<Verdict<Claims>>
  /** Fetches the keys of every issuer, so that the first request need not wait. @throws UpstreamError */
  ready(): Promise<void>
  /** All checks of a request's proof, with what was expected and what was there. For development: never answer with it. */
  explain(request: ApiRequest): readonly ExplainedCheck[]
  /** Counters in Prometheus' text format. */
  metrics(): string
}

const noRequirements: Requirements = {}

/**
 * Checks token, proof and binding of the requests to an API. It fetches nothing until the first request, or `ready()`.
 * @throws ConfigurationError with everything that is wrong at once
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}
 * @example
 * ```ts
 * import { createVerifier } from 'sallyport/dpop-validator'
 *
 * export const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * ```
 */
export function createVerifier<Claims extends AccessTokenClaims = AccessTokenClaims>(
  options: VerifierOptions,
): Verifier<Claims> {
  const settings = createSettings(options)
  const { mode, now, scopes } = settings
  const observer = createObserver(options.onEvent)
  const issuers = new Map(
    settings.issuers.map((issuer) => [issuer.issuer, createTrustedIssuer(issuer, settings, observer.emit)]),
  )
  const algorithms = settings.algorithms.filter((name) => name !== 'Ed25519')
  const takes = { dpop: mode !== 'bearer', bearer: mode !== 'dpop' }
  const audiences = [...new Set(settings.issuers.flatMap((issuer) => issuer.audiences))]
  const metadata =
    settings.resource === undefined
      ? undefined
      : createResourceMetadata(settings.resource, [...issuers.keys()], audiences, algorithms, takes, {
          ...(scopes.length > 0 && { scopes }),
          ...options.resource,
        })
  const answer = createAnswers({
    takes,
    algorithms: algorithms.join(' '),
    realm: settings.realm,
    resourceMetadata: metadata?.url,
    exposeHeaders: settings.cors,
  })
  const nonces = settings.nonce && createNoncePolicy(settings.nonce)
  const requestUris = createRequestUris(settings.publicUrls)
  const { refused, lacks } = createRefusal({ answer, observer, nonces, issuers, scopes, now })
  const decide = createDecision<Claims>({
    settings,
    issuers,
    metadata,
    requestUris,
    nonces,
    isRevoked: createRevocationCheck(options.isRevoked),
    observer,
    lacks,
  })

  return {
    verify(request, requirements = noRequirements) {
      const exchange: Exchange = {
        request,
        requirements,
        scheme: undefined,
        beforeCrypto: true,
        occasion: undefined,
        content: undefined,
      }
      try {
        const deciding = decide(exchange)
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
      const accessToken = /^dpop +(.*)$/i.exec(fields.authorization ?? '')?.[1]
      return explainProof({
        method: request.method,
        uris: requestUris(readRequestTarget(request.target), fields),
        proofs: valuesOf(request.rawHeaders, 'dpop'),
        accessToken,
        now: now(),
        ...settings.proof,
        algorithms: settings.algorithms,
      })
    },

    metrics: () => observer.metrics(),
  }
}
