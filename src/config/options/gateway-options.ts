import { resolve } from 'node:path'
import { unreachable } from '../../errors.js'
import type { AuthorityOptions, ClientAuthentication } from '../../gateway/authorities/authority-options.js'
import type { FrontendOptions, GatewayOptions } from '../../gateway/options.js'
import type { Jwk } from '../../jose/jwk.js'
import type { Sliced } from '../../slices.js'
import { seconds } from '../duration.js'
import type { ConfigurationFiles } from '../files.js'
import { freeze } from '../freeze.js'
import type { AuthorityPlan, FrontendPlan } from '../resolve/frontend-plan.js'
import type { KnownKeys } from '../resolve/known-keys.js'
import type { Plan } from '../resolve/resolved.js'
import type { BffSettings } from '../schema/bff.js'
import { brandingOptions } from './branding.js'
import { httpProxyOptions } from './http-proxy-options.js'
import { rateLimitOptions } from './rate-limit-options.js'
import { accessRules, routeOptions } from './route-options.js'

/** What the gateway needs besides the store and the seal, which every product of a process shares. */
export type GatewaySettings = Omit<GatewayOptions, 'store' | 'seal'>

/** @param plan One in which every rule holds. */
export function* gatewaySettings({
  bff,
  frontends,
  settings,
  directory,
  files,
  keys,
  authorizationServer,
  httpProxyUrl,
  assertionKeys,
}: Plan): Sliced<GatewaySettings | undefined> {
  if (bff === undefined || frontends.length === 0) return undefined
  const { Limits } = settings.Server
  const { LoginLimits } = bff
  const options: FrontendOptions[] = []
  for (const frontend of frontends) {
    options.push(freeze(frontendOptions(frontend, { bff, files, keys, assertionKeys })))
    yield
  }
  return {
    frontends: options,
    trustedProxies: settings.Server.TrustedProxies,
    administered: settings.Server.AdminToken !== undefined,
    trustForwardedHost: settings.Server.TrustForwardedHost,
    streamLimits: { perSession: Limits.StreamsPerSession, perAddress: Limits.StreamsPerAddress },
    issuerTimeout: seconds(bff.AuthorityTimeout),
    branding: brandingOptions(bff.Branding ?? authorizationServer?.settings.Branding, directory, files),
    loginLimits: { perAddress: LoginLimits.PerAddress, window: seconds(LoginLimits.Window) },
    ...httpProxyOptions({ httpProxyUrl, bff }),
    ...(bff.AuthorityCaFile !== undefined && {
      issuerCa: files.read(resolve(directory, bff.AuthorityCaFile)).toString('utf8'),
    }),
  }
}

interface FrontendContext {
  readonly bff: BffSettings
  readonly files: ConfigurationFiles
  readonly keys: KnownKeys
  readonly assertionKeys: readonly Jwk[]
}

function frontendOptions(plan: FrontendPlan, { bff, files, keys, assertionKeys }: FrontendContext): FrontendOptions {
  const { settings, directory, scopes, name, publicUrl, authority, clientId, hosts, routes } = plan
  if (publicUrl === undefined || authority === undefined || clientId === undefined)
    throw new TypeError('a frontend is incomplete that the rules have let pass')
  const home = `${settings.PathPrefix}/`
  const pem = (file: string): string => files.read(resolve(directory, file)).toString('utf8')
  return {
    name,
    hosts,
    pathPrefix: settings.PathPrefix,
    publicUrl: new URL(publicUrl.origin),
    authority,
    clientId,
    clientAuthentication: clientAuthentication(plan, keys),
    ...(plan.authorities && { authorities: plan.authorities.map((one) => authorityOptions(one, keys)) }),
    ...(assertionKeys.length > 0 && { assertionKeys: assertionKeys.map(keys.signingKey) }),
    pushedAuthorizationRequests: settings.UsePushedAuthorizationRequests,
    dpop: settings.UseDPoP && settings.SenderConstraint === 'DPoP',
    ...(settings.ClientCertificate !== undefined && {
      clientCertificate: {
        cert: pem(settings.ClientCertificate.CertFile),
        key: pem(settings.ClientCertificate.KeyFile),
      },
    }),
    ...(settings.SenderConstraint === 'Mtls' && { certificateBoundAccessTokens: true }),
    signedRequests: settings.UseSignedRequests ?? bff.UseSignedRequests,
    responseMode: settings.ResponseMode ?? bff.ResponseMode,
    requireIssuer: bff.RequireIssuerValidation,
    profile: bff.Profile,
    scopes: [...new Set(scopes)],
    ...(settings.UserClaims !== undefined && { userClaims: settings.UserClaims }),
    ...(settings.LoginParameters !== undefined && { loginParameters: settings.LoginParameters }),
    ...fixedParameters(plan),
    ...(settings.AuthorizationDetails.length > 0 && { authorizationDetails: settings.AuthorizationDetails }),
    ...(settings.LoginDetailTypes.length > 0 && {
      loginDetailTypes: settings.LoginDetailTypes.map(({ Type = '', Schema = {} }) => ({ type: Type, schema: Schema })),
    }),
    idTokenHint: idTokenHint(plan),
    revokeEndedSessions: bff.RevokeEndedSessions,
    ...(settings.UseFrontchannelLogout && { frontchannelLogout: true }),
    session: {
      idle: seconds(settings.SessionDuration ?? bff.SessionDuration),
      absolute: seconds(settings.SessionAbsoluteMaxDuration ?? bff.SessionAbsoluteMaxDuration),
      sliding: settings.UseSessionSlidingExpiration ?? bff.UseSessionSlidingExpiration,
      refreshGracePeriod: seconds(bff.RefreshGracePeriod),
    },
    ...(settings.Access && { access: accessRules(settings.Access) }),
    ...(settings.SessionsPerUser?.Max !== undefined && {
      sessionsPerUser: { max: settings.SessionsPerUser.Max, whenFull: settings.SessionsPerUser.WhenFull },
    }),
    ...(settings.RateLimits.length > 0 && { rateLimits: rateLimitOptions(settings.RateLimits) }),
    ...(settings.StaticFilesPath && { staticFilesPath: resolve(directory, settings.StaticFilesPath) }),
    ...(settings.DevelopmentServer && { developmentServer: new URL(settings.DevelopmentServer) }),
    ...(settings.ClientUrl && { clientUrl: new URL(settings.ClientUrl) }),
    ...(settings.Cors && { cors: { origins: settings.Cors.Origins.map((origin) => new URL(origin).origin) } }),
    ...(settings.Embedding && { embedding: { origins: settings.Embedding.Origins } }),
    requireLogin: settings.RequireLogin,
    securityHeaders: settings.SecurityHeaders,
    ...(settings.ContentSecurityPolicy && { contentSecurityPolicy: settings.ContentSecurityPolicy }),
    postLoginRedirectPath: settings.PostLoginRedirectPath ?? home,
    postLogoutRedirectPath: settings.PostLogoutRedirectPath ?? home,
    ...(settings.ErrorRedirectPath && { errorRedirectPath: settings.ErrorRedirectPath }),
    routes: routes.map((route) => routeOptions(route, directory, files)),
  }
}

function authorityOptions(plan: AuthorityPlan, keys: KnownKeys): AuthorityOptions {
  const { authorityName: name, displayName, authority, clientId, scopes } = plan
  return {
    name,
    ...(displayName !== undefined && { displayName }),
    ...(authority !== undefined && { authority }),
    ...(clientId !== undefined && { clientId }),
    clientAuthentication: clientAuthentication(plan, keys),
    scopes: [...new Set(scopes)],
    ...fixedParameters(plan),
    idTokenHint: idTokenHint(plan),
  }
}

/** The embedded server does without one. */
function idTokenHint({ settings, isEmbedded }: FrontendPlan): boolean {
  return settings.UseIdTokenHint && !isEmbedded
}

function clientAuthentication(
  { settings, keys, clientSecret = '' }: FrontendPlan,
  known: KnownKeys,
): ClientAuthentication {
  switch (settings.ClientAuthenticationMethod) {
    case 'PrivateKeyJwt':
      return { method: 'private_key_jwt', keys: keys.map(known.signingKey) }
    case 'TlsClientAuth':
      return { method: 'tls_client_auth', ...(keys.length > 0 && { keys: keys.map(known.signingKey) }) }
    case 'SelfSignedTlsClientAuth':
      return { method: 'self_signed_tls_client_auth', ...(keys.length > 0 && { keys: keys.map(known.signingKey) }) }
    case 'ClientSecretPost':
      return { method: 'client_secret_post', secret: clientSecret }
    case 'ClientSecretBasic':
      return { method: 'client_secret_basic', secret: clientSecret }
    default:
      return unreachable(settings.ClientAuthenticationMethod)
  }
}

/** An object is sent as JSON, as `claims` is (OpenID Connect Core §5.5). */
function fixedParameters({ settings: { AuthorizationParameters: parameters } }: FrontendPlan) {
  if (parameters === undefined) return {}
  const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
  return {
    authorizationParameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [name, asText(value)]),
    ),
  }
}
