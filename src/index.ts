export { type Audit, type AuditOptions, type AuditRecord, createAudit } from './audit/audit.js'
export {
  type AuthorizationServer,
  createAuthorizationServer,
  type SigningKeyState,
} from './authorization-server/authorization-server.js'
export type { AuthorizationServerOptions, ClientOptions, UserOptions } from './authorization-server/options.js'
export { createVerifier, type Verifier } from './dpop-validator/dpop-validator.js'
export type { VerifierOptions } from './dpop-validator/options.js'
export {
  ConfigurationError,
  type ConfigurationProblem,
  ProtocolError,
  type ProtocolErrorCode,
  UpstreamError,
  type UpstreamErrorCode,
} from './errors.js'
export type * from './gateway/administration/exports.js'
export { createGateway, type Gateway } from './gateway/gateway.js'
export type { Login, LoginDecision, Logout, OnLogin, OnLogout } from './gateway/hooks.js'
export type { GatewayMiddleware } from './gateway/middleware.js'
export type { FrontendOptions, GatewayOptions } from './gateway/options.js'
export type { FrontendChanges, PreparedGateway } from './gateway/reload/replacement.js'
export type { RouteOptions } from './gateway/route-options.js'
export {
  type LoadConfigurationOptions,
  type LoadedConfiguration,
  loadConfiguration,
} from './server/load-configuration.js'
export { createFileStore } from './store/file-store.js'
export { createMemoryStore } from './store/memory-store.js'
export { createRedisStore } from './store/redis-store.js'
export { createSeal, type Seal } from './store/seal.js'
export type { Store } from './store/store.js'
