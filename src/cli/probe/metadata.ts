import type { FrontendOptions } from '../../gateway/options.js'
import { mayBeOfUser } from '../../gateway/tokens/token-audience.js'
import { type IssuerMetadata, textsOf } from './issuer.js'
import type { Check, Offer } from './offer.js'
import { failed, list, noted, passed, type Trial } from './probe.js'
import { secretMethodOf } from './secret-method.js'
import {
  answersAreSignedAsWeTakeThem,
  idTokensAreSignedByATakenAlgorithm,
  requestsAreSignedAsItTakesThem,
  theKeyOfTheClientIsTaken,
} from './signing.js'

/** Whether the server offers what this frontend needs: each thing for which the first login would fail. */
export function tryMetadata(metadata: IssuerMetadata, frontend: FrontendOptions): readonly Trial[] {
  const subject = `${frontend.name}: metadata`
  const offer: Offer = {
    metadata,
    frontend,
    listed: (name) => textsOf(metadata, name),
    client: `client ${frontend.clientId}`,
    wrong: (result, remedy) => failed(subject, result, remedy),
    note: (result, remedy) => noted(subject, result, remedy),
  }
  const trials = checks.flatMap((check) => [...check(offer)])
  const isFine = trials.every(({ outcome }) => outcome !== 'failed')
  return isFine ? [passed(subject, 'the authorization server offers what this frontend needs'), ...trials] : trials
}

const checks: readonly Check[] = [
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
  tokensAreExchanged,
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

function* tokensAreExchanged({ frontend, listed, note, client }: Offer) {
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const route = frontend.routes.find(({ tokenExchange }) => tokenExchange !== undefined)
  if (route !== undefined && listed('grant_types_supported')?.includes(grant) === false)
    yield note(
      `it does not name token exchange (RFC 8693) among its grants, so that ${route.path} would get no token: 502 bff.token.refused`,
      `Switch it on there, and allow it to ${client}; or leave TokenExchange out, where Resource or Scopes are enough.`,
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
  const { token_endpoint: endpoint } = metadata
  const isKeycloak = typeof endpoint === 'string' && endpoint.includes('/protocol/openid-connect/')
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

function* framesEndSessions({ metadata, frontend, client, note }: Offer) {
  if (frontend.frontchannelLogout === true && metadata.frontchannel_logout_session_supported !== true)
    yield note(
      'it does not say that its sign-out page has frames with "iss" and "sid" (frontchannel_logout_session_supported)',
      `Register bff/frontchannel-logout for ${client} with frontchannel_logout_session_required, or leave UseFrontchannelLogout out.`,
    )
}
