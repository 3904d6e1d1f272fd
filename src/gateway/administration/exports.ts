export type { RecentAnswers } from '../forwarding/answer-times.js'
export type { BreakerState } from '../forwarding/circuit-breaker.js'
export type { UpstreamState } from '../forwarding/upstream.js'
export type { Administration } from './administration.js'
export type { SessionQuery } from './session-search.js'
export type {
  AdministeredSession,
  SessionAdministration,
  SessionPage,
  SessionPaging,
} from './sessions.js'
export type { FrontendState, GatewayState, RouteState } from './state.js'
