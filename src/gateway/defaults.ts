import type { LoginLimits, RateLimitOptions, SessionsPerUserOptions, StreamLimits } from './limits/limit-options.js'
import type { FrontendOptions, GatewayOptions } from './options.js'
import type {
  CircuitBreakerOptions,
  HealthCheckOptions,
  IdentityAssertionOptions,
  RouteOptions,
  TimeoutOptions,
  WebSocketOptions,
} from './route-options.js'

/**
 * What holds where an option is left out, in the units of the options. The configuration's schema reads it, and the
 * documentation is compared with it.
 */
export const gatewayDefaults = {
  trustForwardedHost: false,
  issuerTimeout: 10,
  administered: false,
} as const satisfies Partial<GatewayOptions>

export const loginLimitDefaults = { perAddress: 300, window: 60 } as const satisfies Required<LoginLimits>

export const streamLimitDefaults = { perSession: 64, perAddress: 1024 } as const satisfies Required<StreamLimits>

export const frontendDefaults = {
  profile: 'Fapi2',
  certificateBoundAccessTokens: false,
  signedRequests: false,
  responseMode: 'query',
  loginParameters: ['login_hint', 'prompt', 'ui_locales'],
  idTokenHint: true,
  revokeEndedSessions: false,
  frontchannelLogout: false,
  requireLogin: 'Calls',
  securityHeaders: 'Spa',
} as const satisfies Partial<FrontendOptions>

export const sessionsPerUserDefaults = { whenFull: 'EndOldest' } as const satisfies Partial<SessionsPerUserOptions>

export const rateLimitDefaults = { by: 'Session' } as const satisfies Partial<RateLimitOptions>

export const routeDefaults = {
  requireCsrfHeader: false,
  countsAsUse: true,
  balance: 'RoundRobin',
  reuseConnections: true,
  replayLimit: 65_536,
  retries: 1,
} as const satisfies Partial<RouteOptions>

export const identityAssertionDefaults = {
  header: 'X-Identity-Assertion',
} as const satisfies Partial<IdentityAssertionOptions>

/** There is no `total`: streams have no end. */
export const timeoutDefaults = {
  connect: 5,
  responseHeaders: 60,
  idle: 300,
} as const satisfies Required<Omit<TimeoutOptions, 'total'>>

export const healthCheckDefaults = {
  interval: 10,
  timeout: 2,
} as const satisfies Required<Omit<HealthCheckOptions, 'path'>>

export const circuitBreakerDefaults = { failures: 5, openFor: 1 } as const satisfies Required<CircuitBreakerOptions>

export const webSocketDefaults = { pingInterval: 30 } as const satisfies Required<WebSocketOptions>
