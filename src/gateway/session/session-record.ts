import type { Prover } from '../../dpop/prover.js'
import type { Jwk } from '../../jose/jwk.js'
import type { ServerClientOptions } from '../authorities/authority-options.js'
import type { Authentication } from '../step-up/requirements.js'

/** What a session is made of. It rests sealed under the browser's cookie; it cannot be opened without that cookie. */
export interface SessionRecord {
  /** Seconds since the epoch, as all times here. */
  readonly createdAt: number
  /** From the validated ID token. Absent without OpenID Connect. */
  readonly subject?: string
  /** The authorization server's name for its own session, for back-channel logout. */
  readonly sid?: string
  /** Absent in a session from before this was kept: then its ID token says it. */
  readonly server?: SessionServer
  /** Of the ID token and of userinfo, as the server has said last. */
  readonly claims: Readonly<Record<string, unknown>>
  /** What of them userinfo has said. */
  readonly userInfo?: Readonly<Record<string, unknown>>
  /** Userinfo could not be read since then, and is asked for again at the next call after `retryAt`. */
  readonly userInfoDue?: { readonly since: number; readonly retryAt: number }
  /** What the program around the gateway has added to them. */
  readonly addedClaims?: Readonly<Record<string, unknown>>
  /** How the user signed in, as the ID token of the login says. No refresh changes it. */
  readonly authentication?: Authentication
  /** What the login asked for, as text. */
  readonly askedFor?: string
  readonly idToken?: string
  readonly nonce?: string
  /** The private EC P-256 key of this session. Absent without DPoP. */
  readonly proofKey?: Jwk
  readonly refreshToken?: string
  /** What the server granted at login, where it was not all that was asked for. */
  readonly grantedScopes?: readonly string[]
  readonly refreshTokenExpiresAt?: number
  readonly refreshTokenRenewAt?: number
  /** The server's own limit: the `session_expiry` claim. */
  readonly sessionExpiry?: number
  /** By audience: `''` is the token of the login itself. */
  readonly accessTokens: Readonly<Record<string, AccessToken>>
}

/** Which client of which authorization server. `sub` and `sid` say something only together with it. */
export type ServerClient = Pick<ServerClientOptions, 'authority' | 'clientId'>

/** Whether both are one client of one server. */
export function isSameClient(one: ServerClient | undefined, other: ServerClient | undefined): boolean {
  return one !== undefined && one.authority === other?.authority && one.clientId === other.clientId
}

/** The same, with its name among the `authorities` of the frontend, where it has them. */
export interface SessionServer extends ServerClient {
  readonly name?: string
}

export interface AccessToken {
  readonly value: string
  /** Absent when the server did not say. */
  readonly expiresAt?: number
  /** Thumbprint of the certificate that we had when it was given. */
  readonly boundTo?: string
}

/** A session that was opened with its cookie. */
export interface Session {
  /** Names the session to its own user and in events. Opens nothing. */
  readonly handle: string
  /** Where the record rests. */
  readonly key: string
  readonly record: SessionRecord
  readonly revision: string
  readonly prover: Prover | undefined
  /** Whatever happens, it ends then. */
  readonly endsAt: number
}

/** A session and the cookie value it was opened with: the only other place of that secret is the browser. */
export interface OpenSession {
  readonly id: string
  readonly session: Session
}
