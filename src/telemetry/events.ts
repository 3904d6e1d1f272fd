import { channel } from 'node:diagnostics_channel'
import type { AuthorizationServerEvent } from './authorization-server-events.js'
import type { GatewayEvent } from './gateway-events.js'

/**
 * Everything that can happen, as a closed list. No event has a field that could hold a token, a key, a code, a cookie or
 * a password: identifiers, thumbprints, codes and numbers only. Names are `product.noun.verb`.
 */
export type SallyportEvent = GatewayEvent | AuthorizationServerEvent | ValidatorEvent | ServerEvent

export type ValidatorEvent =
  | {
      readonly type: 'validator.request.accepted'
      /** Whether the access token was known from an earlier request. */
      readonly token: 'known' | 'new'
      /** As the client calls it. */
      readonly requestId?: string
      readonly jkt?: string
      readonly client?: string
      readonly proofAge?: number
    }
  | {
      readonly type: 'validator.request.refused'
      readonly code: string
      readonly check: string
      readonly beforeCrypto: boolean
      readonly requestId: string
      /** What a sender said who has not proved to be a client. */
      readonly claimedRequestId?: string
      /** Of the peer, masked. */
      readonly address?: string
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
  /** What an administrator has done, by the admin API or the console. */
  | {
      readonly type: 'server.administration.acted'
      readonly act: 'sessions.end' | 'session.end' | 'log-level.change'
      readonly via: 'api' | 'console'
      readonly address: string
      /** How many sessions. */
      readonly ended?: number
      readonly subject?: string
      readonly sid?: string
      readonly frontend?: string
      /** Issuer identifier or name of their authorization server. */
      readonly authority?: string
      /** Seconds. */
      readonly olderThan?: number
      /** Handle of the session. */
      readonly session?: string
      readonly level?: string
      readonly seconds?: number
    }
  /** A wrong `AdminToken`: at most ten a minute of one network are told. */
  | { readonly type: 'server.administration.refused'; readonly network: string }
  /** Another configuration is served; the names of the frontends that differ. */
  | {
      readonly type: 'server.configuration.taken-over'
      readonly generation: number
      readonly added: readonly string[]
      readonly changed: readonly string[]
      readonly removed: readonly string[]
    }
  /** Nothing has changed: what is wrong, as `check` says it. */
  | {
      readonly type: 'server.configuration.refused'
      /** The generation that is served on. */
      readonly serves: number
      readonly problems: readonly string[]
    }
  /** What the file says and a running process cannot change. */
  | { readonly type: 'server.configuration.needs-restart'; readonly settings: readonly string[] }
  | { readonly type: 'server.certificate.unfit'; readonly pointer: string; readonly problem: string }
  | { readonly type: 'server.draining' }
  | { readonly type: 'server.worker.exited'; readonly cause: string }
  | { readonly type: 'server.stopped' }
  /** `store` is its host and port. */
  | { readonly type: 'server.store.failing'; readonly store: string; readonly cause: string; readonly count: number }
  | { readonly type: 'server.store.back'; readonly store: string; readonly seconds: number; readonly count: number }
  /** Records of the audit that will never arrive. Counted only: the next two tell of it. */
  | {
      readonly type: 'server.audit.lost'
      readonly destination: 'file' | 'endpoint'
      readonly records: number
      readonly cause: string
    }
  | {
      readonly type: 'server.audit.failing'
      readonly destination: 'file' | 'endpoint'
      readonly cause: string
      readonly count: number
    }
  | {
      readonly type: 'server.audit.back'
      readonly destination: 'file' | 'endpoint'
      readonly seconds: number
      readonly count: number
    }
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
