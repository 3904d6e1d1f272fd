import * as openid from 'openid-client'
import { UpstreamError } from '../../errors.js'
import { isLoopback } from '../../http/loopback.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { createFetchedCache } from '../../store/fetched-cache.js'
import type { FrontendOptions } from '../options.js'
import { acceptedAlgorithms } from './accepted-algorithms.js'
import { clientAuthentication } from './client-authentication.js'
import { mutualTlsEndpoints } from './client-certificate.js'
import type { IssuerFetch } from './issuer-fetch.js'
import { refuse } from './oauth-error.js'

/** Seconds after which the metadata is read again. */
const metadataLifetime = 3600

export interface IssuerConfigurationOptions {
  readonly frontend: { readonly options: FrontendOptions }
  readonly fetch: IssuerFetch
  /** Seconds one call may take. */
  readonly timeout: number
  readonly now: () => number
}

/** @param requestId what its calls are done for */
export type IssuerConfiguration = (requestId?: string) => Promise<openid.Configuration>

/** Makes a configuration whose calls go out by that function. */
type Configure = (call: openid.CustomFetch) => openid.Configuration

/**
 * What a frontend's authorization server says of itself (RFC 8414), fetched when first needed, again after an hour, and
 * again when that failed.
 */
export function createIssuerConfiguration({
  frontend: { options },
  fetch,
  timeout,
  now,
}: IssuerConfigurationOptions): IssuerConfiguration {
  const issuer = new URL(options.authority)
  let assertionAlgorithms: readonly string[] = []

  const discover = async (
    requestId: string | undefined,
  ): Promise<{ readonly shared: openid.Configuration; readonly configure: Configure }> => {
    const authentication = await clientAuthentication(options, () => assertionAlgorithms)
    const discoveryOptions = (algorithm: 'oidc' | 'oauth2'): openid.DiscoveryRequestOptions => ({
      algorithm,
      timeout,
      [openid.customFetch]: (url, request) => fetch(url, { ...request, requestId }),
      execute: isLoopback(issuer.hostname) ? [openid.allowInsecureRequests] : [],
    })
    const found = await openid
      .discovery(issuer, options.clientId, undefined, authentication, discoveryOptions('oidc'))
      .catch((error: unknown) => {
        // RFC 8414 §5: a server without OpenID Connect may only have its own well-known document.
        if (options.scopes.includes('openid') || !(error instanceof openid.ClientError)) throw error
        return openid.discovery(issuer, options.clientId, undefined, authentication, discoveryOptions('oauth2'))
      })
    const { supportsPKCE: _, ...published } = found.serverMetadata()
    const metadata = { ...published, ...(options.clientCertificate && mutualTlsEndpoints(published)) }
    assertMetadata(metadata, options)
    assertionAlgorithms = metadata.token_endpoint_auth_signing_alg_values_supported ?? []
    const accepted = acceptedAlgorithms(options)
    const taken = (offered: readonly string[] = accepted) => offered.filter((name) => accepted.includes(name))
    const server = {
      ...metadata,
      id_token_signing_alg_values_supported: taken(metadata.id_token_signing_alg_values_supported),
      authorization_signing_alg_values_supported: taken(metadata.authorization_signing_alg_values_supported),
    }
    const configure: Configure = (call) => {
      const configuration = new openid.Configuration(server, options.clientId, undefined, authentication)
      configuration.timeout = timeout
      configuration[openid.customFetch] = call
      if (isLoopback(issuer.hostname)) openid.allowInsecureRequests(configuration)
      return configuration
    }
    return { shared: configure(fetch), configure }
  }

  const found = createFetchedCache({ max: 1, fetch: discover, lifetime: () => metadataLifetime, now })
  return async (requestId) => {
    // What was good an hour ago is better than nothing while the server cannot be asked.
    const { shared, configure } = await found
      .fetch(options.authority, requestId)
      .catch((error: unknown) => found.last(options.authority) ?? refuse(error))
    // openid-client takes no fields for a call: a configuration of its own says them.
    return requestId === undefined ? shared : configure((url, request) => fetch(url, { ...request, requestId }))
  }
}

/** All that we call, or send a browser to. */
const endpoints = [
  'authorization_endpoint',
  'token_endpoint',
  'pushed_authorization_request_endpoint',
  'userinfo_endpoint',
  'jwks_uri',
  'revocation_endpoint',
  'introspection_endpoint',
  'end_session_endpoint',
] as const

/** Plain http is for a server on this machine only: another one must not have us call what listens beside us. */
function isAsSafe(endpoint: unknown, issuer: URL): boolean {
  if (endpoint === undefined) return true
  const url = typeof endpoint === 'string' && URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || url.username !== '' || url.password !== '' || url.hash !== '') return false
  return url.protocol === 'https:' || (issuer.protocol === 'http:' && isSecureUrl(issuer) && isSecureUrl(url))
}

/** What a server has to say before we log anybody in there. Its metadata is the only source of endpoints. */
function assertMetadata(metadata: Readonly<openid.ServerMetadata>, options: FrontendOptions): void {
  const problem = ((): string | undefined => {
    // Simple string comparison (RFC 8414 §3.3): openid-client compares parsed URLs.
    if (metadata.issuer !== options.authority)
      return 'its issuer is not the configured Authority, character by character'
    if (metadata.code_challenge_methods_supported?.includes('S256') === false) return 'it does not take PKCE with S256'
    if (options.pushedAuthorizationRequests && metadata.pushed_authorization_request_endpoint === undefined)
      return 'it has no pushed authorization request endpoint'
    if (options.dpop && metadata.dpop_signing_alg_values_supported?.includes('ES256') === false)
      return 'it does not take DPoP proofs with ES256'
    if (options.clientCertificate !== undefined && metadata.token_endpoint?.startsWith('http:'))
      return 'its token endpoint is plain http, where no certificate is shown'
    if (options.certificateBoundAccessTokens === true && metadata.tls_client_certificate_bound_access_tokens !== true)
      return 'it does not bind access tokens to certificates'
    const unsafe = endpoints.find((name) => !isAsSafe(metadata[name], new URL(options.authority)))
    return unsafe && `its ${unsafe} is not https, which Authority is`
  })()
  if (problem !== undefined)
    throw new UpstreamError('invalid_response', `the authorization server does not fit: ${problem}`)
}
