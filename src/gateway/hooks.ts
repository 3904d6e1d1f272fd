import { publish } from '../telemetry/events.js'
import type { SessionEndCause } from '../telemetry/gateway-events.js'

/** A login that the authorization server has confirmed. */
export interface Login {
  /** Its name. */
  readonly frontend: string
  /** Name of the authorization server, where the frontend has several: `subject` and `claims` are its. */
  readonly authority?: string
  /** `sub`. Undefined without OpenID Connect. */
  readonly subject: string | undefined
  /** Of the ID token and of userinfo. */
  readonly claims: Readonly<Record<string, unknown>>
  /** The log knows the login by it. */
  readonly requestId: string
}

/** Nothing: the session begins. */
export type LoginDecision =
  | undefined
  /** There is no session, and its tokens are revoked. The person reads the reason on the error page. */
  | { readonly refuse: string }
  /** The session has them as well. Those of the protocol (`sub`, `iss`, …) cannot be set. */
  | { readonly claims: Readonly<Record<string, unknown>> }

/**
 * Asked when a login has succeeded, before its session begins.
 * @throws Anything: then the login fails (`bff.login.failed`), and the log says that it was the hook.
 * @example
 * ```ts
 * import type { OnLogin } from 'sallyport/gateway'
 *
 * const blocked = new Set(['mallory'])
 * export const onLogin: OnLogin = ({ subject }) =>
 *   blocked.has(subject ?? '') ? { refuse: 'Your account is blocked.' } : { claims: { plan: 'free' } }
 * ```
 */
export type OnLogin = (login: Login) => LoginDecision | Promise<LoginDecision>

/** A session that has ended. */
export interface Logout {
  /** Its name. */
  readonly frontend: string
  /** As in the log, and in the user's list of sessions. */
  readonly session: string
  /** Undefined where the session was ended without being opened: by another session, or by back-channel logout. */
  readonly subject: string | undefined
  /** What has ended it. */
  readonly cause: SessionEndCause
}

/**
 * Told when a session has ended in this process. The logout does not wait for it, and does not fail with it. A session to
 * which no call comes any more ends silently, when its record does.
 */
export type OnLogout = (logout: Logout) => void | Promise<void>

export function tellOnLogout(onLogout: OnLogout, logout: Logout): void {
  const { frontend } = logout
  Promise.resolve(logout)
    .then(onLogout)
    .catch((error: unknown) =>
      publish({ type: 'gateway.hook.failed', frontend, hook: 'onLogout', error: nameOf(error) }),
    )
}

/** Its message could quote what the hook was given. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
