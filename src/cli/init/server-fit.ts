import { acceptedAlgorithms } from '../../gateway/oauth/accepted-algorithms.js'
import { createIssuerFetch } from '../../gateway/oauth/issuer-fetch.js'
import type { SignatureAlgorithm } from '../../jose/jwk.js'
import { type IssuerMetadata, textsOf, tryIssuer } from '../probe/issuer.js'
import { list } from '../probe/probe.js'
import { type ClientSecretSetting, secretMethodOf } from '../probe/secret-method.js'

/** What a configuration for one authorization server has to say. */
export interface ServerFit {
  /** Its issuer identifier, as it writes it. */
  readonly authority: string
  /** Of the client's key. */
  readonly algorithm: SignatureAlgorithm
  readonly clientAuthentication: 'PrivateKeyJwt' | ClientSecretSetting
  readonly pushedRequests: boolean
  readonly dpop: boolean
  /** Whether it takes no request that is not signed (RFC 9101). */
  readonly signedRequests: boolean
  readonly issuerInCallbacks: boolean
  readonly profile: 'Fapi2' | 'Baseline'
  readonly scopes: readonly string[]
  /** What it lacks, each with what that costs or what to do there. Empty: nothing. */
  readonly lacks: readonly string[]
}

/** A FAPI 2.0 server of which nothing more is known. */
export function presumedFit(authority: string, lacks: readonly string[] = []): ServerFit {
  return {
    authority,
    algorithm: 'ES256',
    clientAuthentication: 'PrivateKeyJwt',
    pushedRequests: true,
    dpop: true,
    signedRequests: false,
    issuerInCallbacks: true,
    profile: 'Fapi2',
    scopes: ['openid', 'profile'],
    lacks,
  }
}

/** Reads what a server says of itself, and what fits to it. One that cannot be read is taken for a FAPI 2.0 server. */
export async function fitFor(authority: string): Promise<ServerFit> {
  const fetch = createIssuerFetch(5)
  try {
    const asTyped = await tryIssuer(authority, fetch)
    if (asTyped.metadata !== undefined) return fitOf(authority, asTyped.metadata)
    // Auth0 and others end their name with a slash, which people leave out; issuers are compared character by character.
    const other = authority.endsWith('/') ? authority.slice(0, -1) : `${authority}/`
    const otherwise = await tryIssuer(other, fetch)
    if (otherwise.metadata !== undefined) return fitOf(other, otherwise.metadata)
    const [{ result, remedy } = { result: 'it does not answer', remedy: '' }] = asTyped.trials
    return presumedFit(authority, [
      `what it says of itself could not be read, so that this is written for a FAPI 2.0 server. ${result} (${remedy})`,
    ])
  } finally {
    await fetch.close()
  }
}

export function fitOf(authority: string, metadata: IssuerMetadata): ServerFit {
  const listed = (name: string) => textsOf(metadata, name)
  const methods = listed('token_endpoint_auth_methods_supported') ?? ['client_secret_basic']
  const algorithm = keyAlgorithmOf(listed('token_endpoint_auth_signing_alg_values_supported'))
  const byKey = methods.includes('private_key_jwt') && algorithm !== undefined
  const bySecret = secretMethodOf(methods)
  const pushedRequests = typeof metadata.pushed_authorization_request_endpoint === 'string'
  const dpop = listed('dpop_signing_alg_values_supported')?.includes('ES256') === true
  const issuerInCallbacks = metadata.authorization_response_iss_parameter_supported === true
  const idTokens = listed('id_token_signing_alg_values_supported')
  const signsNothing = idTokens?.length === 0
  const hasIdTokens =
    idTokens === undefined || signsNothing || idTokens.some((name) => acceptedAlgorithms({}).includes(name))
  const hasPkce = listed('code_challenge_methods_supported')?.includes('S256') !== false
  return {
    authority,
    algorithm: algorithm ?? 'ES256',
    clientAuthentication: byKey ? 'PrivateKeyJwt' : (bySecret ?? 'PrivateKeyJwt'),
    pushedRequests,
    dpop,
    signedRequests: byKey && pushedRequests && metadata.require_signed_request_object === true,
    issuerInCallbacks,
    profile:
      pushedRequests && dpop && issuerInCallbacks && hasIdTokens && (byKey || bySecret === undefined)
        ? 'Fapi2'
        : 'Baseline',
    scopes: ['openid', 'profile', ...(needsOfflineAccess(metadata, listed) ? ['offline_access'] : [])],
    lacks: [
      ...(pushedRequests
        ? []
        : ['no pushed authorization requests (RFC 9126): what a login asks for goes through the browser']),
      ...(dpop ? [] : ['no DPoP with ES256 (RFC 9449): who gets hold of an access token can use it']),
      ...(issuerInCallbacks ? [] : ['no `iss` in callbacks (RFC 9207): no defence against mix-up of servers']),
      ...(hasIdTokens ? [] : [`ID tokens with ${list(idTokens ?? [])} only: FAPI 2.0 takes PS256, ES256 and Ed25519`]),
      ...(signsNothing
        ? ['no algorithm for ID tokens: give it a signing key for PS256, ES256 or Ed25519, or no login will work']
        : []),
      ...(byKey
        ? []
        : bySecret !== undefined
          ? ['no private_key_jwt: the client is known by a secret, which both sides have']
          : [`clients by ${list(methods)} only: switch private_key_jwt on there, or no login will work`]),
      ...(hasPkce ? [] : ['no PKCE with S256: switch it on there, or no login will work']),
    ],
  }
}

/** RFC 9864 gave EdDSA with Ed25519 a name of its own. */
function keyAlgorithmOf(taken: readonly string[] | undefined): SignatureAlgorithm | undefined {
  if (taken === undefined || taken.includes('ES256')) return 'ES256'
  if (taken.includes('PS256')) return 'PS256'
  return taken.includes('Ed25519') || taken.includes('EdDSA') ? 'Ed25519' : undefined
}

/** Keycloak gives refresh tokens without it, and with it a session that no sign-out ends. It is known by its addresses. */
function needsOfflineAccess(
  { token_endpoint: endpoint }: IssuerMetadata,
  listed: (name: string) => readonly string[] | undefined,
): boolean {
  const isKeycloak = typeof endpoint === 'string' && endpoint.includes('/protocol/openid-connect/')
  return (
    listed('scopes_supported')?.includes('offline_access') === true &&
    listed('grant_types_supported')?.includes('refresh_token') !== false &&
    !isKeycloak
  )
}
