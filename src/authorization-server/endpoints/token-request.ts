import type Koa from 'koa'
import { ProtocolError, unreachable } from '../../errors.js'
import { readFormBody } from '../../http/form-body.js'
import { scopeMember } from '../../http/scope.js'
import { publish } from '../../telemetry/events.js'
import type { AuthenticateClient } from '../client/authentication.js'
import type { CertificateOf } from '../client/client-certificate.js'
import { type GrantType, grantTypes, mayHaveScope } from '../client/permissions.js'
import type { ProvePossession } from '../client/proof-of-possession.js'
import { senderConstraint } from '../client/sender-constraint.js'
import type { EndpointUrls } from '../endpoint-urls.js'
import type { ClientOptions } from '../options.js'
import type { UserDirectory } from '../sign-in/users.js'
import type { AccessTokens } from '../tokens/access-token.js'
import type { AuthorizationCodes } from '../tokens/authorization-code.js'
import { type AuthorizationDetails, detailsMember } from '../tokens/authorization-details.js'
import { tokenTypeOf } from '../tokens/confirmation.js'
import type { Grant, Grants } from '../tokens/grant.js'
import type { IdTokens } from '../tokens/id-token.js'
import type { RefreshTokens } from '../tokens/refresh-token.js'
import type { Resources } from '../tokens/resources.js'
import { knownClient } from './identified-request.js'
import { requestedScopes } from './pushed-authorization-request.js'
import { accessTokenType, exchangeToken } from './token-exchange.js'
import type { Issue, TokenRequest } from './token-issue.js'

export interface TokenRequestOptions {
  readonly urls: EndpointUrls
  readonly authenticateClient: AuthenticateClient
  readonly provePossession: ProvePossession
  readonly certificateOf: CertificateOf
  readonly codes: AuthorizationCodes
  readonly grants: Grants
  readonly accessTokens: AccessTokens
  readonly idTokens: IdTokens
  readonly refreshTokens: RefreshTokens
  readonly resources: Resources
  readonly authorizationDetails: AuthorizationDetails
  readonly users: UserDirectory
  /** Seconds. */
  readonly lifetimes: { readonly accessToken: number; readonly refreshToken: number }
  readonly now: () => number
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2 RFC 6749 §3.2}, RFC 9449 §5, RFC 8705 §3 */
export function tokenRequest(options: TokenRequestOptions): Koa.Middleware {
  const { urls, authenticateClient, provePossession, certificateOf, now } = options
  return async function tokenRequest(ctx) {
    const form = await readFormBody(ctx.req, { repeatable: ['resource', 'audience'] })
    const { client, consume } = await authenticateClient(ctx.req, form)
    knownClient(ctx, client.clientId)
    const grantType = grantTypeOf(form.get('grant_type'), client)
    const proof = provePossession(ctx.req, urls.token)
    const confirmation = senderConstraint(client, { proof, certificate: () => certificateOf(ctx.req), now: now() })
    await consume(ctx.state.requestId)
    await proof?.consume(ctx.state.requestId)
    ctx.body = await respond(options, grantType, { requestId: ctx.state.requestId, client, form, confirmation })
  }
}

function grantTypeOf(text: string | undefined, { permissions }: ClientOptions): GrantType {
  if (text === undefined) throw new ProtocolError('invalid_request', 'grant_type is required')
  const grantType = Object.hasOwn(grantTypes, text) ? grantTypes[text] : undefined
  if (grantType === undefined) throw new ProtocolError('unsupported_grant_type', 'grant_type is not supported')
  if (!permissions.endpoints.includes('token') || !permissions.grants.includes(grantType))
    throw new ProtocolError('unauthorized_client', 'the client may not use this grant type')
  return grantType
}

async function respond(options: TokenRequestOptions, grantType: GrantType, request: TokenRequest) {
  switch (grantType) {
    case 'authorization_code':
      return tokens(options, grantType, request, await redeemCode(options, request))
    case 'refresh_token':
      return tokens(options, grantType, request, await refresh(options, request))
    case 'client_credentials':
      return tokens(options, grantType, request, await clientCredentials(options, request))
    case 'token_exchange':
      return {
        ...(await tokens(options, grantType, request, await exchangeToken(options, request))),
        issued_token_type: accessTokenType,
      }
    default:
      return unreachable(grantType)
  }
}

async function redeemCode(
  { codes, grants, refreshTokens, resources, authorizationDetails: details, lifetimes, now }: TokenRequestOptions,
  { requestId, client, form, confirmation }: TokenRequest,
): Promise<Issue> {
  const code = form.get('code')
  if (code === undefined) throw new ProtocolError('invalid_request', 'code is required')
  const { binding, consume } = await codes.accept(code, {
    requestId,
    clientId: client.clientId,
    redirectUri: form.get('redirect_uri'),
    codeVerifier: form.get('code_verifier'),
    confirmation,
  })
  const { grantId, nonce } = binding
  const grant = await grants.find(grantId)
  if (grant === undefined) refuse('the authorization has been revoked')
  const { scopes, target } = grant
  const audience = resources.audience({ parameter: form.get('resource'), target, scopes, client })
  const authorizationDetails = details.assigned(form.get('authorization_details'), grant.authorizationDetails ?? [])
  const refreshable = client.permissions.grants.includes('refresh_token') && scopes.includes('offline_access')
  const expiresAt = now() + (refreshable ? lifetimes.refreshToken : 0)
  // Extended, never written, and before the code is consumed: a second use that ends the grant in this moment wins over
  // us for what was issued, but the first one has its answer.
  if (!(await grants.extend(grantId, expiresAt + lifetimes.accessToken))) refuse('the authorization has been revoked')
  await consume()
  return {
    grantId,
    grant,
    scopes,
    audience,
    authorizationDetails,
    ...(nonce !== undefined && { nonce }),
    ...(refreshable && {
      refreshToken: await refreshTokens.issue({ grantId, clientId: client.clientId, expiresAt }),
    }),
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-6 RFC 6749 §6} */
async function refresh(
  { refreshTokens, grants, resources, authorizationDetails: details, users, now }: TokenRequestOptions,
  { client, form }: TokenRequest,
): Promise<Issue> {
  const token = form.get('refresh_token')
  if (token === undefined) throw new ProtocolError('invalid_request', 'refresh_token is required')
  const known = await refreshTokens.find(token)
  if (known === undefined || known.expiresAt <= now()) refuse('the refresh token is unknown or has expired')
  if (known.clientId !== client.clientId) refuse('the refresh token was issued to another client')
  const grant = await grants.find(known.grantId)
  if (grant?.user === undefined) refuse('the authorization has been revoked')
  const claims = await users.find(grant.user)
  if (claims === undefined) refuse('the user is not known any more')
  // A permission that was taken away since is missing from the next token.
  const granted = grant.scopes.filter((name) => mayHaveScope(client.permissions, name))
  const scopes = form.has('scope') ? requestedScopes(form.get('scope'), client) : granted
  if (!scopes.every((name) => grant.scopes.includes(name)))
    throw new ProtocolError('invalid_scope', 'a scope was not part of the authorization')
  const audience = resources.audience({ parameter: form.get('resource'), target: grant.target, scopes, client })
  const authorizationDetails = details.assigned(form.get('authorization_details'), grant.authorizationDetails ?? [])
  const current = { ...grant, user: { ...grant.user, claims } }
  return { grantId: known.grantId, grant: current, scopes, audience, authorizationDetails }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.4 RFC 6749 §4.4} */
async function clientCredentials(
  { grants, resources, lifetimes, now }: TokenRequestOptions,
  { client, form }: TokenRequest,
): Promise<Issue> {
  // The default that RFC 6749 §3.3 asks for is the least: none, and the audience of the client's own resources.
  const scopes = form.has('scope') ? requestedScopes(form.get('scope'), client) : []
  if (scopes.includes('openid') || scopes.includes('offline_access'))
    throw new ProtocolError('invalid_scope', 'openid and offline_access need a user')
  if (form.has('authorization_details'))
    throw new ProtocolError('invalid_authorization_details', 'authorization_details need a user')
  const target = resources.target(form.get('resource'), scopes, client)
  const audience = resources.audience({ parameter: undefined, target, scopes, client })
  const grant: Grant = { clientId: client.clientId, scopes, target }
  return { grantId: await grants.start(grant, now() + lifetimes.accessToken), grant, scopes, audience }
}

async function tokens(
  { accessTokens, idTokens, lifetimes, now }: TokenRequestOptions,
  grantType: GrantType,
  { requestId, client, confirmation }: TokenRequest,
  { grantId, grant, scopes, audience, authorizationDetails = [], nonce, refreshToken, notAfter }: Issue,
) {
  const { token, jti, expiresAt } = await accessTokens.issue({
    ...{ grantId, grant, scopes, audience, authorizationDetails, confirmation },
    ...(notAfter !== undefined && { notAfter }),
  })
  const isSignIn = grantType !== 'token_exchange' && scopes.includes('openid')
  const idToken = grant.user !== undefined && isSignIn ? await idTokens.issue(client, grant.user, nonce) : undefined
  const subject = grant.user?.subject ?? client.clientId
  publish({
    ...{ type: 'as.token.issued', requestId, client: client.clientId, grant: grantType, subject, jti },
    ...('jkt' in confirmation ? { jkt: confirmation.jkt } : { certificate: confirmation['x5t#S256'] }),
  })
  return {
    access_token: token,
    token_type: tokenTypeOf(confirmation),
    expires_in: Math.min(lifetimes.accessToken, Math.ceil(expiresAt - now())),
    ...scopeMember(scopes),
    ...detailsMember(authorizationDetails),
    ...(refreshToken !== undefined && { refresh_token: refreshToken }),
    ...(idToken !== undefined && { id_token: idToken }),
  }
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_grant', message)
}
