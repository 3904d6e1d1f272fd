/** What an authorization server said when it refused us (cut, without secrets), and what to change about it. */
export interface ServerSaid {
  readonly serverError?: string
  readonly serverDescription?: string
  readonly remedy?: string
}

/** Which authorization server, by its name, where the frontend has several. */
export interface OfAuthority {
  readonly authority?: string
}

export type GatewayEvent =
  | ({
      readonly type: 'gateway.login.started'
      readonly frontend: string
      readonly requestId: string
    } & OfAuthority)
  | ({
      readonly type: 'gateway.login.completed'
      readonly frontend: string
      readonly requestId: string
      readonly subject: string
      readonly session: string
      /** Whether a session's user had to sign in again, as a route or an API has asked. */
      readonly stepUp: boolean
      /** False: it ends with its first access token, for the server gave no refresh token. */
      readonly refreshable: boolean
    } & OfAuthority)
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
    } & ServerSaid &
      OfAuthority)
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
  | {
      readonly type: 'gateway.session.refreshed'
      readonly frontend: string
      readonly session: string
      /** Of the refresh, which many calls may wait for: the server's log has it as well. */
      readonly requestId: string
    }
  | ({
      readonly type: 'gateway.session.refresh-failed'
      readonly frontend: string
      readonly session: string
      readonly subject?: string
      readonly requestId: string
      readonly fatal: boolean
      readonly code: string
    } & ServerSaid)
  | {
      readonly type: 'gateway.token.revoked'
      readonly frontend: string
      readonly session: string
      readonly token: 'refresh_token' | 'access_token'
      readonly requestId?: string
    }
  | ({
      readonly type: 'gateway.token.not-revoked'
      readonly frontend: string
      readonly session: string
      /** Of the logout. */
      readonly requestId?: string
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
      /** Where this process had opened the session. */
      readonly subject?: string
      /** Of the login, the logout or the call that has ended it. */
      readonly requestId?: string
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
      readonly type: 'gateway.issuer.called'
      /** Origin of the authorization server. */
      readonly issuer: string
      /** The path, as the server's metadata names it. */
      readonly endpoint: string
      /** Of the login, logout or refresh that it is part of. */
      readonly requestId?: string
      /** Absent: there was no answer. */
      readonly status?: number
      readonly seconds: number
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
      readonly code: string | undefined
      /** Handle of the session, as in the user's own list. */
      readonly session: string | undefined
      /** Bytes sent to the browser, head included. */
      readonly bytes: number
      readonly seconds: number
      /** Of these, until the request was sent on: session, rules, a fresh token. */
      readonly ownSeconds: number
      /** Of these, from then until the upstream's answer began. */
      readonly upstreamSeconds: number
      readonly attempts: number
    }

export type SessionEndCause =
  | 'logout'
  | 'login'
  | 'backchannel-logout'
  | 'frontchannel-logout'
  | 'revoked'
  /** By an administrator. */
  | 'administrator'
  /** By a newer login of the same user: see `SessionsPerUser`. */
  | 'displaced'
  | 'refresh-failed'
  | 'expired'
  /** The configuration has its authorization server no longer. */
  | 'authority-removed'
