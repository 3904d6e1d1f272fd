import { resolve } from 'node:path'
import type { AccessRule, RouteOptions, UpstreamTlsOptions } from '../../gateway/route-options.js'
import { seconds } from '../duration.js'
import type { ConfigurationFiles } from '../files.js'
import type { RouteSettings } from '../schema/route.js'
import type { AccessRuleSettings } from '../schema/values.js'
import { socketPaths } from '../socket-address.js'
import { rateLimitOptions } from './rate-limit-options.js'

/** @param directory What relative paths start at. */
export function routeOptions(settings: RouteSettings, directory: string, files: ConfigurationFiles): RouteOptions {
  const {
    Resource,
    TokenExchange,
    IdentityAssertion,
    AcrValues,
    MaxAuthenticationAge,
    BodyLimit,
    Timeouts,
    HealthCheck,
    CircuitBreaker,
    WebSocket,
    Tls,
  } = settings
  return {
    path: settings.Path ?? '/',
    upstreams: settings.Upstreams.map((upstream) => new URL(upstream)),
    stripPath: settings.StripPath,
    methods: settings.Methods,
    tokenType: settings.TokenType,
    scopes: settings.Scopes,
    requireCsrfHeader: settings.RequireCsrfHeader,
    countsAsUse: settings.CountsAsUse,
    ...(settings.RateLimits.length > 0 && { rateLimits: rateLimitOptions(settings.RateLimits) }),
    balance: settings.Balance,
    reuseConnections: settings.ReuseConnections,
    replayLimit: settings.ReplayLimit,
    retries: settings.Retries,
    timeouts: {
      connect: seconds(Timeouts.Connect),
      responseHeaders: seconds(Timeouts.ResponseHeaders),
      idle: seconds(Timeouts.Idle),
      ...(Timeouts.Total !== undefined && { total: seconds(Timeouts.Total) }),
    },
    circuitBreaker: { failures: CircuitBreaker.Failures, openFor: seconds(CircuitBreaker.OpenFor) },
    webSocket: { pingInterval: seconds(WebSocket.PingInterval) },
    ...(settings.Access && { access: accessRules(settings.Access) }),
    ...(settings.Sockets && { sockets: socketPaths(settings.Sockets, directory) }),
    ...(Resource !== undefined && { resource: Resource }),
    ...(settings.AuthorizationDetails !== undefined && { authorizationDetails: settings.AuthorizationDetails }),
    ...(TokenExchange !== undefined && {
      tokenExchange: { ...(TokenExchange.Audience !== undefined && { audience: TokenExchange.Audience }) },
    }),
    ...(IdentityAssertion !== undefined && {
      identityAssertion: {
        audience: IdentityAssertion.Audience ?? '',
        claims: IdentityAssertion.Claims,
        header: IdentityAssertion.Header,
      },
    }),
    ...(AcrValues !== undefined && { acrValues: AcrValues }),
    ...(MaxAuthenticationAge !== undefined && { maxAuthenticationAge: seconds(MaxAuthenticationAge) }),
    ...(BodyLimit !== undefined && { bodyLimit: BodyLimit }),
    ...(HealthCheck !== undefined && {
      healthCheck: {
        path: HealthCheck.Path ?? '/',
        interval: seconds(HealthCheck.Interval),
        timeout: seconds(HealthCheck.Timeout),
      },
    }),
    ...(Tls !== undefined && { tls: tlsOptions(Tls, directory, files) }),
  }
}

export function accessRules(settings: AccessRuleSettings): readonly AccessRule[] {
  return settings.map(({ Claim, AnyOf }) => ({ claim: Claim, anyOf: AnyOf }))
}

function tlsOptions(
  settings: NonNullable<RouteSettings['Tls']>,
  directory: string,
  files: ConfigurationFiles,
): UpstreamTlsOptions {
  const { CaFile, CertFile, KeyFile, ServerName } = settings
  const pem = (file: string): string => files.read(resolve(directory, file)).toString('utf8')
  return {
    ...(CaFile !== undefined && { ca: pem(CaFile) }),
    ...(CertFile !== undefined && { cert: pem(CertFile) }),
    ...(KeyFile !== undefined && { key: pem(KeyFile) }),
    ...(ServerName !== undefined && { serverName: ServerName }),
  }
}
