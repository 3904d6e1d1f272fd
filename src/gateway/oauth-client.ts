import type { webcrypto } from 'node:crypto'
import * as openid from 'openid-client'
import { ProtocolError, type ProtocolErrorCode, UpstreamError } from '../errors.js'
import { isLoopback } from '../http/loopback.js'
import type { Jwk, SignatureAlgorithm, SigningKey } from '../keys.js'
import { publicHalf } from '../keys.js'
import type { Frontend } from './frontend.js'
import type { IssuerFetch } from './issuer-fetch.js'
import type { FrontendOptions } from './options.js'
import type { AccessToken } from './sealed-sessions.js'

/** The conversations with one frontend's authorization server. */
export interface OAuthClient {
  /** What the server says of itself. Fetched when first needed, and again when that failed. */
  metadata(): Promise<openid.ServerMetadata>
  /** Where to send the browser. With PAR its URL holds `client_id` and `request_uri` and nothing else. */
  pushAuthorizationRequest(request: AuthorizationRequest): Promise<URL>
  redeemCode(response: URL, expected: ExpectedResponse): Promise<TokenSet>
  /** @throws ProtocolError `invalid_grant` when the refresh token is dead; anything else may pass. */
  refresh(refreshToken: string, proofKey: Jwk | undefined, audience: TokenAudience): Promise<TokenSet>
  /** The gateway's own token, for routes without a user. */
  clientCredentials(proofKey: Jwk | undefined, audience: TokenAudience): Promise<TokenSet>
  /**
   * What the server adds about the user. Nothing when it has no such endpoint or does not answer: who the user is was in
   * the ID token. @throws UpstreamError when it answers about somebody else
   */
  userInfo(accessToken: string, subject: string, proofKey: Jwk | undefined): Promise<Claims>
  /** Best effort: a server without revocation is not asked. */
  revoke(token: string, hint: 'refresh_token' | 'access_token'): Promise<void>
  endSessionUrl(parameters: Readonly<Record<string, string>>): Promise<URL | undefined>
}

export type Claims = Readonly<Record<string, unknown>>

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

export interface TokenAudience {
  readonly resource?: string
  readonly scopes: readonly string[]
}

/** An accepted token response: the token type is what we asked for and the ID token, if there is one, is genuine. */
export interface TokenSet {
  readonly accessToken: AccessToken
  readonly refreshToken?: string
  readonly refreshTokenExpiresAt?: number
  readonly idToken?: string
  /** Of the validated ID token. */
  readonly claims?: Claims
}

export interface OAuthClientOptions {
  readonly frontend: Frontend
  readonly fetch: IssuerFetch
  /** Seconds one call may take. */
  readonly timeout: number
  readonly now: () => number
}

/** FAPI 2.0 §5.4.1; `EdDSA` is what most servers still call Ed25519. */
const idTokenAlgorithms = ['PS256', 'ES256', 'Ed25519', 'EdDSA']
/** Seconds after which the metadata is read again. */
const metadataLifetime = 3600

export function createOAuthClient({ frontend, fetch, timeout, now }: OAuthClientOptions): OAuthClient {
  const { options } = frontend
  const issuer = new URL(options.authority)
  const proofSource = createProofSource(fetch)

  let acceptedAlgorithms: readonly string[] = []

  const discover = async (): Promise<openid.Configuration> => {
    const authentication = await clientAuthentication(frontend, () => acceptedAlgorithms)
    const discoveryOptions = (algorithm: 'oidc' | 'oauth2'): openid.DiscoveryRequestOptions => ({
      algorithm,
      timeout,
      [openid.customFetch]: fetch,
      execute: isLoopback(issuer.hostname) ? [openid.allowInsecureRequests] : [],
    })
    const found = await openid
      .discovery(issuer, options.clientId, undefined, authentication, discoveryOptions('oidc'))
      .catch((error: unknown) => {
        // RFC 8414 §5: a server without OpenID Connect may only have its own well-known document.
        if (options.scopes.includes('openid') || !(error instanceof openid.ClientError)) throw error
        return openid.discovery(issuer, options.clientId, undefined, authentication, discoveryOptions('oauth2'))
      })
    const { supportsPKCE: _, ...metadata } = found.serverMetadata()
    assertMetadata(metadata, frontend)
    acceptedAlgorithms = metadata.token_endpoint_auth_signing_alg_values_supported ?? []
    const accepted = options.profile === 'Baseline' ? [...idTokenAlgorithms, 'RS256'] : idTokenAlgorithms
    const offered = metadata.id_token_signing_alg_values_supported ?? accepted
    const configuration = new openid.Configuration(
      { ...metadata, id_token_signing_alg_values_supported: offered.filter((name) => accepted.includes(name)) },
      options.clientId,
      undefined,
      authentication,
    )
    configuration.timeout = timeout
    configuration[openid.customFetch] = fetch
    // Without this the signature of an ID token that came over TLS would not be looked at.
    openid.enableNonRepudiationChecks(configuration)
    if (isLoopback(issuer.hostname)) openid.allowInsecureRequests(configuration)
    return configuration
  }

  let current: { readonly configuration: openid.Configuration; readonly until: number } | undefined
  let underway: Promise<openid.Configuration> | undefined
  const configuration = async (): Promise<openid.Configuration> => {
    if (current !== undefined && now() < current.until) return current.configuration
    underway ??= discover()
      .then((fresh) => {
        current = { configuration: fresh, until: now() + metadataLifetime }
        return fresh
      })
      .finally(() => {
        underway = undefined
      })
    // What was good an hour ago is better than nothing while the server cannot be asked.
    return underway.catch((error: unknown) => current?.configuration ?? refuse(error))
  }

  const dpop = async (known: openid.Configuration, proofKey: Jwk | undefined): Promise<openid.DPoPOptions> =>
    proofKey === undefined ? {} : { DPoP: await proofSource(known, proofKey) }

  const accepted = (response: openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers): TokenSet => {
    if (response.token_type !== (options.dpop ? 'dpop' : 'bearer')) {
      throw new UpstreamError(
        'invalid_response',
        'the token endpoint answered with another token type than was asked for',
      )
    }
    const claims = response.claims()
    return {
      accessToken: {
        value: response.access_token,
        ...(response.expires_in !== undefined && { expiresAt: now() + response.expires_in }),
      },
      ...(response.refresh_token !== undefined && { refreshToken: response.refresh_token }),
      ...refreshTokenLifetime(response, now()),
      ...(response.id_token !== undefined &&
        claims !== undefined && { idToken: response.id_token, claims: { ...claims } }),
    }
  }

  return {
    metadata: async () => (await configuration()).serverMetadata(),

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
        ...(nonce !== undefined && { nonce }),
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(proof.DPoP && { dpop_jkt: await proof.DPoP.calculateThumbprint() }),
      })
      for (const resource of resources) request.append('resource', resource)
      return options.pushedAuthorizationRequests
        ? openid.buildAuthorizationUrlWithPAR(known, request, proof).catch(refuse)
        : openid.buildAuthorizationUrl(known, request)
    },

    async redeemCode(response, { state, nonce, codeVerifier, proofKey }) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      const checks = {
        expectedState: state,
        pkceCodeVerifier: codeVerifier,
        ...(nonce !== undefined && { expectedNonce: nonce, idTokenExpected: true }),
      }
      return accepted(await openid.authorizationCodeGrant(known, response, checks, undefined, proof).catch(refuse))
    },

    async refresh(refreshToken, proofKey, audience) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      return accepted(
        await openid.refreshTokenGrant(known, refreshToken, audienceParameters(audience), proof).catch(refuse),
      )
    },

    async clientCredentials(proofKey, audience) {
      const known = await configuration()
      const proof = await dpop(known, proofKey)
      return accepted(await openid.clientCredentialsGrant(known, audienceParameters(audience), proof).catch(refuse))
    },

    async userInfo(accessToken, subject, proofKey) {
      const known = await configuration()
      if (known.serverMetadata().userinfo_endpoint === undefined) return {}
      try {
        return await openid.fetchUserInfo(known, accessToken, subject, await dpop(known, proofKey))
      } catch (error) {
        if (error instanceof openid.ClientError && error.code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED')
          refuse(error)
        return {}
      }
    },

    async revoke(token, hint) {
      const known = await configuration()
      if (known.serverMetadata().revocation_endpoint === undefined) return
      await openid.tokenRevocation(known, token, { token_type_hint: hint }).catch(refuse)
    },

    async endSessionUrl(parameters) {
      const known = await configuration()
      if (known.serverMetadata().end_session_endpoint === undefined) return undefined
      return openid.buildEndSessionUrl(known, parameters)
    },
  }
}

/**
 * What the user is asked to agree to: enough for every route. Resources are named only where all of the user's routes
 * have one: the others live on the audience that the server gives by itself.
 */
function grantOf({ scopes, routes }: FrontendOptions): {
  readonly scope: string
  readonly resources: ReadonlySet<string>
} {
  const ofUser = routes.filter(({ tokenType }) => tokenType === 'User' || tokenType === 'UserOrNone')
  const resources = ofUser.flatMap(({ resource }) => (resource === undefined ? [] : [resource]))
  return {
    scope: [...new Set([...scopes, ...ofUser.flatMap((route) => route.scopes)])].join(' '),
    resources: new Set(resources.length === ofUser.length ? resources : []),
  }
}

/** What a server has to say before we log anybody in there. Its metadata is the only source of endpoints. */
function assertMetadata(metadata: Readonly<openid.ServerMetadata>, { options }: Frontend): void {
  const problem = ((): string | undefined => {
    // Simple string comparison (RFC 8414 §3.3): openid-client compares parsed URLs.
    if (metadata.issuer !== options.authority)
      return 'its issuer is not the configured Authority, character by character'
    if (metadata.code_challenge_methods_supported?.includes('S256') === false) return 'it does not take PKCE with S256'
    if (options.pushedAuthorizationRequests && metadata.pushed_authorization_request_endpoint === undefined)
      return 'it has no pushed authorization request endpoint'
    if (options.dpop && metadata.dpop_signing_alg_values_supported?.includes('ES256') === false)
      return 'it does not take DPoP proofs with ES256'
    return undefined
  })()
  if (problem !== undefined)
    throw new UpstreamError('invalid_response', `the authorization server does not fit: ${problem}`)
}

async function clientAuthentication(
  { options }: Frontend,
  accepted: () => readonly string[],
): Promise<openid.ClientAuth> {
  const { clientAuthentication: authentication } = options
  if (authentication.method === 'client_secret_post') return openid.ClientSecretPost(authentication.secret)
  const [key] = authentication.keys
  if (key === undefined) throw new TypeError('private_key_jwt needs a key')
  return openid.PrivateKeyJwt(
    { key: await privateCryptoKey(key), kid: key.kid },
    {
      [openid.modifyAssertion](header) {
        // RFC 9864 gave EdDSA with Ed25519 a name of its own; most servers know the old one only.
        if (header.alg === 'Ed25519' && !accepted().includes('Ed25519')) header.alg = 'EdDSA'
      },
    },
  )
}

function privateCryptoKey({ privateKey, algorithm }: SigningKey): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('jwk', privateKey.export({ format: 'jwk' }), importParameters(algorithm), false, [
    'sign',
  ])
}

function importParameters(algorithm: SignatureAlgorithm) {
  switch (algorithm) {
    case 'ES256':
      return { name: 'ECDSA', namedCurve: 'P-256' }
    case 'PS256':
      return { name: 'RSA-PSS', hash: 'SHA-256' }
    case 'Ed25519':
      return { name: 'Ed25519' }
  }
}

/** openid-client's own proofs, for the server's endpoints, with the session's key. */
function createProofSource(fetch: IssuerFetch) {
  return async (known: openid.Configuration, proofKey: Jwk): Promise<openid.DPoPHandle> => {
    const { kty, crv, x, y } = publicHalf(proofKey)
    const parameters = importParameters('ES256')
    const [privateKey, publicKey] = await Promise.all([
      crypto.subtle.importKey('jwk', { ...proofKey }, parameters, false, ['sign']),
      crypto.subtle.importKey('jwk', { kty, crv, x, y } as Jwk, parameters, true, ['verify']),
    ])
    return openid.getDPoPHandle(
      known,
      { privateKey, publicKey },
      {
        // A nonce this server gave for another session spares a refusal; if it does not take it, it gives a new one.
        [openid.modifyAssertion](_header, payload) {
          const nonce = typeof payload.htu === 'string' ? fetch.nonceOf(new URL(payload.htu).origin) : undefined
          if (payload.nonce === undefined && nonce !== undefined) payload.nonce = nonce
        },
      },
    )
  }
}

function audienceParameters({ resource, scopes }: TokenAudience): URLSearchParams {
  const parameters = new URLSearchParams()
  if (resource !== undefined) parameters.set('resource', resource)
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '))
  return parameters
}

/** Not in any RFC, but two widely used spellings. 0 means without an end (Keycloak's offline tokens). */
function refreshTokenLifetime(response: openid.TokenEndpointResponse, now: number) {
  const seconds = response.refresh_token_expires_in ?? response.refresh_expires_in
  return typeof seconds === 'number' && seconds > 0 ? { refreshTokenExpiresAt: now + seconds } : {}
}

/**
 * Sorts what openid-client throws by whose fault it is. Its errors hold responses, tokens and claims in their `cause`:
 * none of that goes on, only names that are its own or RFC 6749's.
 */
function refuse(error: unknown): never {
  if (error instanceof UpstreamError || error instanceof ProtocolError) throw error
  if (error instanceof openid.ResponseBodyError) {
    const code = protocolErrorCodes.find((known) => known === error.error)
    throw new ProtocolError(code ?? 'server_error', 'the authorization server refused the request')
  }
  if (error instanceof openid.WWWAuthenticateChallengeError)
    throw new ProtocolError('invalid_client', 'the authorization server did not accept our authentication')
  if (error instanceof openid.ClientError) {
    if (error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_ABORT')
      throw new UpstreamError('timeout', 'the authorization server did not answer in time')
    if (error.cause instanceof UpstreamError) throw error.cause
    if (error.cause instanceof Object && 'status' in error.cause && Number(error.cause.status) >= 500)
      throw new UpstreamError('unreachable', 'the authorization server has trouble of its own')
    if (error.code === 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED')
      throw new UpstreamError('invalid_response', 'the ID token is not valid now: compare the clocks of both servers')
    throw new UpstreamError(
      'invalid_response',
      `the authorization server's answer is not acceptable (${error.code ?? 'no code'})`,
    )
  }
  // What undici throws when there is no connection is a TypeError; `cause` holds no secret but may hold addresses.
  if (error instanceof Error) throw new UpstreamError('unreachable', 'the authorization server could not be reached')
  throw error
}

const protocolErrorCodes: readonly ProtocolErrorCode[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'access_denied',
  'invalid_request_object',
]
