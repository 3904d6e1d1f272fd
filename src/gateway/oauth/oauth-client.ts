import * as openid from 'openid-client'
import { UpstreamError } from '../../errors.js'
import type { Jwk } from '../../jose/jwk.js'
import type { Frontend } from '../frontend/frontend.js'
import type { TokenExchangeOptions } from '../route-options.js'
import type { AccessToken } from '../session/session-record.js'
import { grantOf, type TokenAudience } from '../tokens/token-audience.js'
import { assertBound } from './client-certificate.js'
import { createIssuerConfiguration } from './issuer-configuration.js'
import type { IssuerFetch } from './issuer-fetch.js'
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.js'
import { refuse, refuseTokens } from './oauth-error.js'
import { createProofSource } from './proof-source.js'
import { createRevocation } from './revocation.js'
import { exchangeToken } from './token-exchange.js'
import { type TokenResponse, type TokenSet, tokenSetOf } from './token-set.js'
import { askUserInfo, type UserInfo } from './user-info.js'

/** The conversations with one frontend's authorization server. */
export interface OAuthClient {
  /** The same, done for a request: the server hears its id, and the trace that was noted for it. */
  forRequest(requestId: string): OAuthClient
  /** What the server says of itself. Fetched when first needed, and again when that failed. */
  metadata(): Promise<openid.ServerMetadata>
  /** Fetches what the first login would have to wait for: metadata and keys. @throws UpstreamError */
  warm(): Promise<void>
  /** Where to send the browser. With PAR its URL holds `client_id` and `request_uri` and nothing else. */
  pushAuthorizationRequest(request: AuthorizationRequest): Promise<URL>
  /** Of `response_mode=jwt`: its parameters, once it is known to be genuine. @throws UpstreamError `invalid_response` when it is not */
  readSignedResponse(jwt: string, network: string): Promise<URLSearchParams>
  redeemCode(response: URL, expected: ExpectedResponse): Promise<TokenSet>
  /** @throws ProtocolError `invalid_grant` when the refresh token is dead; anything else may pass. */
  refresh(refreshToken: string, proofKey: Jwk | undefined, audience: TokenAudience): Promise<TokenSet>
  /** A token for another audience, for one of the same user (RFC 8693). @throws ProtocolError as the server refuses it */
  exchange(
    accessToken: string,
    proofKey: Jwk | undefined,
    audience: TokenAudience & { readonly exchange: TokenExchangeOptions },
  ): Promise<AccessToken>
  /** The gateway's own token, for routes without a user. */
  clientCredentials(proofKey: Jwk | undefined, audience: TokenAudience): Promise<TokenSet>
  /** What it signs with. */
  readonly keys: IssuerKeys
  /**
   * What the server adds about the user. Nothing when it has no such endpoint, or does not answer so that it can be used: who
   * the user is was in the ID token. @throws UpstreamError when it answers about another user
   */
  userInfo(accessToken: string, subject: string, proofKey: Jwk | undefined): Promise<UserInfo>
  /** False: the server has no such endpoint. @throws ProtocolError when it refuses */
  revoke(token: string, hint: 'refresh_token' | 'access_token', proofKey: Jwk | undefined): Promise<boolean>
  endSessionUrl(parameters: Readonly<Record<string, string>>): Promise<URL | undefined>
}

export interface AuthorizationRequest {
  readonly state: string
  readonly nonce: string | undefined
  readonly codeVerifier: string
  readonly proofKey: Jwk | undefined
  readonly parameters: Readonly<Record<string, string>>
}

export interface ExpectedResponse {
  readonly state: string
  readonly nonce: string | undefined
  readonly codeVerifier: string
  readonly proofKey: Jwk | undefined
}

export interface OAuthClientOptions {
  readonly frontend: Frontend
  readonly fetch: IssuerFetch
  /** Seconds one call may take. */
  readonly timeout: number
  readonly now: () => number
}

export function createOAuthClient(given: OAuthClientOptions): OAuthClient {
  const { fetch } = given
  const configurationFor = createIssuerConfiguration(given)
  const keysFor = createIssuerKeys({
    fetch,
    jwksUri: async (requestId) => (await configurationFor(requestId)).serverMetadata().jwks_uri,
  })
  const clientFor = (requestId?: string): OAuthClient =>
    conversations({
      ...given,
      keys: keysFor(requestId),
      requestId,
      configuration: () => configurationFor(requestId),
      forRequest: clientFor,
    })
  return clientFor()
}

interface Conversations extends OAuthClientOptions, Pick<OAuthClient, 'forRequest' | 'keys'> {
  readonly configuration: () => Promise<openid.Configuration>
  readonly requestId: string | undefined
}

function conversations({
  frontend,
  fetch,
  timeout,
  now,
  keys,
  configuration,
  requestId,
  forRequest,
}: Conversations): OAuthClient {
  const { options, boundTo } = frontend
  const proofSource = createProofSource(fetch)
  const revocation = createRevocation({ options, fetch, timeout, requestId })
  /** Those that are accepted and offered. */
  const signingAlgorithms = async (): Promise<readonly string[]> =>
    (await configuration()).serverMetadata().id_token_signing_alg_values_supported ?? []

  const dpop = async (known: openid.Configuration, proofKey: Jwk | undefined): Promise<openid.DPoPOptions> =>
    proofKey === undefined ? {} : { DPoP: await proofSource(known, proofKey) }

  const accepted = async (response: TokenResponse): Promise<TokenSet> => {
    if (response.token_type !== (options.dpop ? 'dpop' : 'bearer')) {
      throw new UpstreamError(
        'invalid_response',
        'the token endpoint answered with another token type than was asked for',
      )
    }
    if (boundTo !== undefined) assertBound(response.access_token, boundTo)
    // That it came over TLS is not taken for the server's signature (FAPI 2.0 asks for non-repudiation).
    if (response.id_token !== undefined)
      await keys.verifySignature(response.id_token, await signingAlgorithms()).catch(refuse)
    return tokenSetOf(response, { now: now(), boundTo })
  }

  return {
    forRequest,
    keys,
    metadata: async () => (await configuration()).serverMetadata(),
    warm: keys.warm,

    async pushAuthorizationRequest({ state, nonce, codeVerifier, proofKey, parameters }) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      const { scope, resources } = grantOf(options)
      const request = new URLSearchParams({
        ...parameters,
        redirect_uri: frontend.redirectUri,
        response_type: 'code',
        scope,
        state,
        ...(options.responseMode === 'jwt' && { response_mode: 'jwt' }),
        ...(nonce !== undefined && { nonce }),
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(proof.DPoP && { dpop_jkt: await proof.DPoP.calculateThumbprint() }),
      })
      for (const resource of resources) request.append('resource', resource)
      if (!options.pushedAuthorizationRequests) return openid.buildAuthorizationUrl(known, request)
      const pushed =
        options.signedRequests === true
          ? await (await import('./signed-request.js')).signedRequest(known, request, options)
          : request
      return openid.buildAuthorizationUrlWithPAR(known, pushed, proof).catch(refuse)
    },

    async readSignedResponse(jwt, network) {
      const { authorization_signing_alg_values_supported: algorithms = [] } = (await configuration()).serverMetadata()
      const { readSignedResponse } = await import('./signed-response.js')
      const { authority: issuer, clientId } = options
      return readSignedResponse(jwt, { issuer, clientId, algorithms, keys, network, now })
    },

    async redeemCode(response, { state, nonce, codeVerifier, proofKey }) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      const checks = {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
        ...(nonce !== undefined && { expectedNonce: nonce, idTokenExpected: true }),
      }
      return accepted(
        await openid.authorizationCodeGrant(known, response, checks, undefined, proof).catch(refuseTokens),
      )
    },

    async refresh(refreshToken, proofKey, audience) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      return accepted(
        await openid.refreshTokenGrant(known, refreshToken, audienceParameters(audience), proof).catch(refuseTokens),
      )
    },

    async exchange(accessToken, proofKey, { exchange: audience, ...rest }) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      const exchange = { accessToken, ...audience, parameters: audienceParameters(rest) }
      const response = await exchangeToken(known, exchange, proof)
      return (await accepted(response)).accessToken
    },

    async clientCredentials(proofKey, audience) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      return accepted(
        await openid.clientCredentialsGrant(known, audienceParameters(audience), proof).catch(refuseTokens),
      )
    },

    async userInfo(accessToken, subject, proofKey) {
      const known = await configuration()
      const algorithms = await signingAlgorithms()
      const checks = { subject, issuer: options.authority, clientId: options.clientId, algorithms, keys }
      return askUserInfo(known, accessToken, checks, await dpop(known, proofKey))
    },

    async revoke(token, hint, proofKey) {
      const known = await configuration()
      if (known.serverMetadata().revocation_endpoint === undefined) return false
      await revocation(known, token, hint, proofKey).catch(refuse)
      return true
    },

    async endSessionUrl(parameters) {
      const known = await configuration()
      if (known.serverMetadata().end_session_endpoint === undefined) return undefined
      return openid.buildEndSessionUrl(known, parameters)
    },
  }
}

function audienceParameters({ resource, scopes, details }: TokenAudience): URLSearchParams {
  const parameters = new URLSearchParams()
  if (resource !== undefined) parameters.set('resource', resource)
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '))
  if (details !== undefined) parameters.set('authorization_details', details)
  return parameters
}
