import { keysOf } from '../../gateway/oauth/client-authentication.js'
import type { FrontendOptions } from '../../gateway/options.js'
import { mayBeOfUser } from '../../gateway/tokens/token-audience.js'
import type { IssuerMetadata } from './issuer.js'
import { failed, list, noted, passed, type Trial } from './probe.js'
import { secretMethodOf } from './secret-method.js'

/** What an authorization server says of itself, and the frontend that is to log in there. */
interface Offer {
  readonly metadata: IssuerMetadata
  readonly frontend: FrontendOptions
  /** A list of texts in the metadata; undefined when it says nothing of it. */
  readonly listed: (name: string) => readonly string[] | undefined
  /** The frontend's client, for a sentence. */
  readonly client: string
  readonly wrong: (result: string, remedy: string) => Trial
  readonly note: (result: string, remedy: string) => Trial
}

/** Whether the server offers what this frontend needs: each thing for which the first login would fail. */
export function tryMetadata(metadata: IssuerMetadata, frontend: FrontendOptions): readonly Trial[] {
  const subject = `${frontend.name}: metadata`
  const offer: Offer = {
    metadata,
    frontend,
    listed(name) {
      const value = metadata[name]
      return Array.isArray(value) ? value.map(String) : undefined
    },
    client: `client ${frontend.clientId}`,
    wrong: (result, remedy) => failed(subject, result, remedy),
    note: (result, remedy) => noted(subject, result, remedy),
  }
  const trials = checks.flatMap((check) => [...check(offer)])
  const isFine = trials.every(({ outcome }) => outcome !== 'failed')
  return isFine ? [passed(subject, 'the authorization server offers what this frontend needs'), ...trials] : trials
}

const checks: readonly ((offer: Offer) => Iterable<Trial>)[] = [
  everyEndpointIsThere,
  callbacksCarryIss,
  pkceIsTaken,
  dpopIsTaken,
  tokensAreBoundToCertificates,
  theClientMayAuthenticateItsWay,
  theKeyOfTheClientIsTaken,
  idTokensAreSignedByATakenAlgorithm,
  scopesAreListed,
  requestsAreSignedAsItTakesThem,
  answersAreSignedAsWeTakeThem,
  sessionsOutliveAnAccessToken,
  sessionsEndWithTheServers,
  endedSessionsCanBeRevoked,
  framesEndSessions,
]

function* everyEndpointIsThere({ metadata, frontend, wrong }: Offer) {
  const names = ['authorization_endpoint', 'token_endpoint']
  if (frontend.pushedAuthorizationRequests) names.push('pushed_authorization_request_endpoint')
  for (const name of names)
    if (typeof metadata[name] !== 'string')
      yield wrong(`it has no ${name}`, 'Switch it on there, or use a server with PAR, PKCE S256 and DPoP.')
}

function* callbacksCarryIss({ metadata, frontend, wrong }: Offer) {
  // A signed answer has its issuer inside.
  if (frontend.responseMode === 'jwt') return
  if (frontend.requireIssuer && metadata.authorization_response_iss_parameter_supported !== true)
    yield wrong(
      'it does not announce that callbacks carry `iss` (authorization_response_iss_parameter_supported, RFC 9207): every login would be refused',
      'Switch it on there. With a server that cannot: "Profile": "Baseline" and "RequireIssuerValidation": false, which gives up the defence against mix-up.',
    )
}

function* pkceIsTaken({ listed, wrong }: Offer) {
  if (listed('code_challenge_methods_supported')?.includes('S256') === false)
    yield wrong('it does not take PKCE with S256', 'Switch it on there.')
}

function* dpopIsTaken({ frontend, listed, wrong }: Offer) {
  if (!frontend.dpop) return
  const algorithms = listed('dpop_signing_alg_values_supported')
  if (algorithms === undefined)
    yield wrong(
      'it does not announce DPoP (dpop_signing_alg_values_supported, RFC 9449 §5.1): its tokens would be bound to no key, and be refused',
      'Switch DPoP on there. With a server that cannot: "Profile": "Baseline" and "UseDPoP": false.',
    )
  else if (!algorithms.includes('ES256'))
    yield wrong(`it takes DPoP proofs with ${list(algorithms)}, and ours are made with ES256`, 'Allow ES256 there.')
}

function* tokensAreBoundToCertificates({ metadata, frontend, wrong }: Offer) {
  if (frontend.certificateBoundAccessTokens !== true || metadata.tls_client_certificate_bound_access_tokens === true)
    return
  yield wrong(
    'it does not announce that it binds access tokens to certificates (tls_client_certificate_bound_access_tokens, RFC 8705 §3.3)',
    'Switch it on there, or leave SenderConstraint out, which is DPoP.',
  )
}

function* theClientMayAuthenticateItsWay({ frontend, listed, client, wrong }: Offer) {
  const { method } = frontend.clientAuthentication
  const methods = listed('token_endpoint_auth_methods_supported')
  if (methods?.includes(method) === false)
    yield wrong(
      `it authenticates clients by ${list(methods)}, and ${client} does so by ${method}`,
      'secret' in frontend.clientAuthentication ? otherMethod(methods) : `Switch ${method} on there.`,
    )
}

/** Of a client whose way to show its secret is not taken. */
function otherMethod(taken: readonly string[]): string {
  const name = taken.includes('private_key_jwt') ? 'PrivateKeyJwt' : secretMethodOf(taken)
  return `Write "ClientAuthenticationMethod": "${name ?? 'PrivateKeyJwt'}".`
}

function* theKeyOfTheClientIsTaken({ frontend, listed, client, wrong }: Offer) {
  const authentication = frontend.clientAuthentication
  const [key] = authentication.method === 'private_key_jwt' ? authentication.keys : []
  const taken = listed('token_endpoint_auth_signing_alg_values_supported')
  if (key !== undefined && taken !== undefined && !namesOf(key.algorithm).some((name) => taken.includes(name)))
    yield wrong(
      `it takes client assertions with ${list(taken)}, and the key of ${client} is for ${key.algorithm}`,
      `Make a key for one of those: \`npx --no-install sallyport keygen --alg ${taken.includes('PS256') ? 'PS256' : 'ES256'}\`.`,
    )
}

/** FAPI 2.0 §5.4.1, and what only the Baseline profile takes. */
const fapiAlgorithms = ['PS256', 'ES256', 'Ed25519', 'EdDSA']

function* idTokensAreSignedByATakenAlgorithm({ frontend, listed, client, wrong, note }: Offer) {
  if (!frontend.scopes.includes('openid')) return
  const accepted = frontend.profile === 'Baseline' ? [...fapiAlgorithms, 'RS256'] : fapiAlgorithms
  const offered = listed('id_token_signing_alg_values_supported') ?? []
  const usable = offered.filter((name) => accepted.includes(name))
  if (offered.length > 0 && usable.length === 0)
    yield wrong(
      `it signs ID tokens with ${list(offered)}, and FAPI 2.0 takes ${accepted.join(', ')}`,
      'Give it a key for ES256 or PS256. With a server that cannot: "Profile": "Baseline", which takes RS256.',
    )
  else if (offered.some((name) => !accepted.includes(name)))
    yield note(
      `it can sign ID tokens with ${list(offered)}, of which ${list(usable)} are taken`,
      `Have it sign those of ${client} with one of these (id_token_signed_response_alg): many servers begin with RS256.`,
    )
}

function* scopesAreListed({ frontend, listed, note }: Offer) {
  const known = listed('scopes_supported')
  const unknown = known === undefined ? [] : askedFor(frontend).filter((scope) => !known.includes(scope))
  if (unknown.length > 0)
    yield note(
      `it does not list these scopes: ${list(unknown)}`,
      'Some servers do not list all of them; others refuse. The next line tells.',
    )
}

function* endedSessionsCanBeRevoked({ metadata, frontend, note }: Offer) {
  if (frontend.revokeEndedSessions === true && typeof metadata.revocation_endpoint !== 'string')
    yield note(
      'it has no revocation_endpoint (RFC 7009), so that RevokeEndedSessions revokes nothing',
      'Switch it on there, or leave RevokeEndedSessions out: it makes the store worth more to a thief.',
    )
}

function* requestsAreSignedAsItTakesThem({ metadata, frontend, listed, client, wrong }: Offer) {
  if (frontend.signedRequests !== true) {
    if (metadata.require_signed_request_object === true)
      yield wrong(
        'it wants signed request objects (RFC 9101)',
        `Write "UseSignedRequests": true, or do not require them of ${client} there.`,
      )
    return
  }
  if (metadata.request_parameter_supported === false)
    yield wrong(
      'it takes no request objects (request_parameter_supported is false), and UseSignedRequests is true',
      'Switch them on there (JAR, RFC 9101), or leave UseSignedRequests out.',
    )
  const [key] = keysOf(frontend.clientAuthentication)
  const taken = listed('request_object_signing_alg_values_supported')
  if (key !== undefined && taken !== undefined && !namesOf(key.algorithm).some((name) => taken.includes(name)))
    yield wrong(
      `it takes request objects with ${list(taken)}, and the key of ${client} is for ${key.algorithm}`,
      `Allow ${key.algorithm} there (request_object_signing_alg), or make a key for one of those.`,
    )
}

function* answersAreSignedAsWeTakeThem({ frontend, listed, client, wrong, note }: Offer) {
  if (frontend.responseMode !== 'jwt') return
  if (listed('response_modes_supported')?.some((mode) => mode === 'jwt' || mode === 'query.jwt') !== true)
    yield wrong(
      'it does not announce signed answers (response_modes_supported without "jwt"), and ResponseMode is "jwt"',
      'Switch JARM on there, or leave ResponseMode out.',
    )
  const accepted = frontend.profile === 'Baseline' ? [...fapiAlgorithms, 'RS256'] : fapiAlgorithms
  const offered = listed('authorization_signing_alg_values_supported') ?? []
  const usable = offered.filter((name) => accepted.includes(name))
  if (offered.length > 0 && usable.length === 0)
    yield wrong(
      `it signs answers with ${list(offered)}, and FAPI 2.0 takes ${accepted.join(', ')}`,
      'Give it a key for ES256 or PS256.',
    )
  else if (usable.length < offered.length || offered.length === 0)
    yield note(
      `it signs answers with ${offered.length === 0 ? 'what it does not say' : list(offered)}, of which ${list(usable.length === 0 ? accepted : usable)} are taken`,
      `Have it sign those of ${client} with one of these (authorization_signed_response_alg): the standard begins with RS256.`,
    )
}

function* sessionsOutliveAnAccessToken({ frontend, listed, note }: Offer) {
  if (
    frontend.scopes.includes('offline_access') &&
    listed('grant_types_supported')?.includes('refresh_token') === false
  )
    yield note(
      'it issues no refresh tokens: sessions end with their first access token',
      'Allow the refresh token grant there.',
    )
}

/** What a server makes of offline_access is in no metadata; Keycloak is known by its addresses. */
function* sessionsEndWithTheServers({ metadata, frontend, note }: Offer) {
  const isKeycloak = /\/protocol\/openid-connect\//.test(String(metadata.token_endpoint))
  if (frontend.scopes.includes('offline_access') && isKeycloak)
    yield note(
      'Scopes asks for offline_access: Keycloak then keeps a session that no sign-out at Keycloak ends, not even an administrator’s',
      'Leave offline_access out: Keycloak gives refresh tokens without it.',
    )
}

/** The scopes of one login. */
function askedFor({ scopes, routes }: FrontendOptions): readonly string[] {
  const ofUser = routes.filter(({ tokenType }) => mayBeOfUser(tokenType))
  return [...new Set([...scopes, ...ofUser.flatMap((route) => route.scopes)])]
}

/** RFC 9864 gave EdDSA with Ed25519 a name of its own. */
function namesOf(algorithm: string): readonly string[] {
  return algorithm === 'Ed25519' ? ['Ed25519', 'EdDSA'] : [algorithm]
}

function* framesEndSessions({ metadata, frontend, client, note }: Offer) {
  if (frontend.frontchannelLogout === true && metadata.frontchannel_logout_session_supported !== true)
    yield note(
      'it does not say that its sign-out page has frames with "iss" and "sid" (frontchannel_logout_session_supported)',
      `Register bff/frontchannel-logout for ${client} with frontchannel_logout_session_required, or leave UseFrontchannelLogout out.`,
    )
}
