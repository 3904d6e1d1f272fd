import { channel } from 'node:diagnostics_channel'
import type { AuthorizationServerEvent } from './authorization-server-events.js'

/** What an authorization server said when it refused us (cut, without secrets), and what to change about it. */
export interface ServerSaid {
  readonly serverError?: string
  readonly serverDescription?: string
  readonly remedy?: string
}

/**
 * Everything that can happen, as a closed list. No event has a field that could hold a token, a key, a code, a cookie or
 * a password: identifiers, thumbprints, codes and numbers only. Names are `product.noun.verb`.
 */
export type SallyportEvent = GatewayEvent | AuthorizationServerEvent | ValidatorEvent | ServerEvent

export type GatewayEvent =
  | { readonly type: 'gateway.login.started'; readonly frontend: string; readonly requestId: string }
  | {
      readonly type: 'gateway.login.completed'
      readonly frontend: string
      readonly requestId: string
      readonly subject: string
      readonly session: string
      /** False: it ends with its first access token, for the server gave no refresh token. */
      readonly refreshable: boolean
    }
  | ({
      readonly type: 'gateway.request.refused'
      readonly frontend?: string
      readonly requestId: string
      readonly code: string
      readonly status: number
      readonly reason?: string
      readonly method?: string
      /** Without its query, and cut: it is the caller's. */
      readonly path?: string
      /** Of the frontend, where one covers the path. */
      readonly route?: string
    } & ServerSaid)
  | {
      readonly type: 'gateway.request.failed'
      readonly frontend?: string
      readonly requestId: string
      readonly error: string
    }
  /** How many were refused since the last one; of the last of them, the network. */
  | {
      readonly type: 'gateway.network.limited'
      readonly limit: string
      readonly network: string
      readonly refused: number
    }
  /** How many calls one limit of a frontend or route refused since the last one; of the last, the session's handle or the network. */
  | {
      readonly type: 'gateway.rate.limited'
      readonly frontend: string
      readonly route?: string
      readonly limit: string
      readonly caller: string
      readonly refused: number
    }
  | { readonly type: 'gateway.session.refreshed'; readonly frontend: string; readonly session: string }
  | ({
      readonly type: 'gateway.session.refresh-failed'
      readonly frontend: string
      readonly session: string
      readonly fatal: boolean
      readonly code: string
    } & ServerSaid)
  | ({
      readonly type: 'gateway.token.not-revoked'
      readonly frontend: string
      readonly session: string
      readonly token: 'refresh_token' | 'access_token'
      readonly code: string
    } & ServerSaid)
  | {
      readonly type: 'gateway.hook.failed'
      readonly frontend: string
      readonly hook: 'onLogin' | 'onLogout'
      readonly requestId?: string
      /** The error's name. */
      readonly error: string
    }
  | {
      readonly type: 'gateway.userinfo.unusable'
      readonly frontend: string
      /** Of the login. */
      readonly requestId?: string
      /** Whose refresh it was. */
      readonly session?: string
      readonly reason: string
    }
  | {
      readonly type: 'gateway.login.parameter-ignored'
      readonly frontend: string
      readonly requestId: string
      readonly parameter: string
      readonly reason: string
    }
  | {
      readonly type: 'gateway.step-up.unusable'
      readonly frontend: string
      readonly requestId: string
      readonly route: string
    }
  | {
      readonly type: 'gateway.session.ended'
      readonly frontend: string
      readonly session: string
      readonly cause: SessionEndCause
    }
  | {
      readonly type: 'gateway.upstream.failing'
      readonly upstream: string
      readonly route: string
      /** Of the last one: the system's code, or the status that was answered. */
      readonly cause: string
      /** Failures since this was last said. */
      readonly count: number
    }
  | {
      readonly type: 'gateway.upstream.back'
      readonly upstream: string
      readonly route: string
      /** Since the first failure. */
      readonly seconds: number
      /** Failures since this was last said. */
      readonly count: number
    }
  | {
      readonly type: 'gateway.issuer.failing'
      /** Origin of the authorization server. */
      readonly issuer: string
      readonly cause: string
      readonly count: number
    }
  | {
      readonly type: 'gateway.issuer.back'
      readonly issuer: string
      readonly seconds: number
      readonly count: number
    }
  | {
      readonly type: 'gateway.request.forwarded'
      readonly frontend: string
      readonly requestId: string
      readonly route: string
      readonly method: string
      /** Without its query, which may hold personal data. */
      readonly path: string
      readonly status: number
      /** Why the gateway itself made the answer, where it did. */
      readonly code?: string
      /** Handle of the session, as in the user's own list. */
      readonly session?: string
      /** Bytes sent to the browser, head included. */
      readonly bytes: number
      readonly seconds: number
      /** Of these, until the upstream's answer began. */
      readonly upstreamSeconds: number
      readonly attempts: number
    }

export type SessionEndCause =
  | 'logout'
  | 'login'
  | 'backchannel-logout'
  | 'revoked'
  /** By a newer login of the same user: see `SessionsPerUser`. */
  | 'displaced'
  | 'refresh-failed'
  | 'expired'

export type ValidatorEvent =
  | {
      readonly type: 'validator.request.accepted'
      /** Whether the access token was known from an earlier request. */
      readonly token: 'known' | 'new'
      readonly jkt?: string
      readonly client?: string
      readonly proofAge?: number
    }
  | {
      readonly type: 'validator.request.refused'
      readonly code: string
      readonly check: string
      readonly beforeCrypto: boolean
      readonly hint?: string
    }
  | { readonly type: 'validator.keys.fetched'; readonly issuer: string }
  | { readonly type: 'validator.keys.unavailable'; readonly issuer: string; readonly error: string }

export type ServerEvent =
  | {
      readonly type: 'server.started'
      readonly url: string
      readonly name: string
      /** Where browsers find the frontends: no other host is answered. */
      readonly serves?: string
    }
  | {
      readonly type: 'server.request.refused'
      readonly requestId: string
      readonly code: string
      readonly status: number
      /** How many this stands for: there is one such event a second for each code. */
      readonly count: number
    }
  | { readonly type: 'server.connection.refused'; readonly limit: string; readonly count: number }
  | { readonly type: 'server.draining' }
  | { readonly type: 'server.worker.exited'; readonly cause: string }
  | { readonly type: 'server.stopped' }
  /** `store` is its host and port. */
  | { readonly type: 'server.store.failing'; readonly store: string; readonly cause: string; readonly count: number }
  | { readonly type: 'server.store.back'; readonly store: string; readonly seconds: number; readonly count: number }
  /** Lines of the log that could not be written. Counted, and for that reason not logged. */
  | { readonly type: 'server.log.lost'; readonly lines: number; readonly cause: string }
  | { readonly type: 'server.log.back'; readonly lost: number; readonly cause: string }

/** Subscribers: `diagnostics_channel.subscribe('sallyport', listener)`. */
export const channelName = 'sallyport'
const events = channel(channelName)

/** Costs one comparison while there is no subscriber. */
export function publish(event: SallyportEvent): void {
  if (events.hasSubscribers) events.publish(event)
}
