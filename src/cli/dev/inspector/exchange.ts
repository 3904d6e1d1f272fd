import type { ExplainedCheck } from '../../../dpop/explanation.js'

/** Who takes part. */
export type Party = 'browser' | 'attacker' | 'gateway' | 'authorization-server' | 'api'

/** What a request is for. */
export type ExchangeKind =
  | 'login'
  | 'callback'
  | 'user'
  | 'sessions'
  | 'logout'
  | 'call'
  | 'metadata'
  | 'keys'
  | 'par'
  | 'authorize'
  | 'sign-in'
  | 'consent'
  | 'redeem'
  | 'refresh'
  | 'client-credentials'
  | 'userinfo'
  | 'introspect'
  | 'revoke'
  | 'end-session'
  | 'api'

/** One thing that a message carries, as it may be shown. */
export interface Parameter {
  readonly where: 'query' | 'header' | 'form' | 'json' | 'location'
  readonly name: string
  /** Never a secret: of one its first characters, and what it is. */
  readonly value: string
}

/** A DPoP proof without its signature, which is what makes it worth anything. */
export interface ProofFacts {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
  /** Thumbprint of its key. */
  readonly jkt: string | undefined
  readonly checks: readonly ExplainedCheck[]
}

/** A request and its answer. */
export interface Exchange {
  readonly id: number
  readonly kind: ExchangeKind
  readonly from: Party
  readonly to: Party
  /** Whether it is the one that an attack is about. */
  readonly isStrike: boolean
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly request: {
    readonly method: string
    readonly path: string
    readonly parameters: readonly Parameter[]
    readonly proof?: ProofFacts
    /** What the access token says, without its signature. */
    readonly token?: Readonly<Record<string, unknown>>
  }
  /** Undefined: not yet. */
  readonly answer?: {
    readonly status: number | undefined
    /** What it holds that the next message is made of. */
    readonly holds?: 'authorization response' | 'authorization request'
    readonly parameters: readonly Parameter[]
    readonly milliseconds: number
  }
  /** What the product that refuses it says of that in its events. */
  readonly refusal?: Refusal
}

export interface Refusal {
  readonly code: string
  readonly reason?: string
  /** The rule that was broken. */
  readonly check?: string
}

/** Messages that belong together. */
export interface Flow {
  readonly id: number
  readonly kind: 'login' | 'call' | 'logout' | 'other' | 'attack'
  readonly title: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly exchanges: readonly Exchange[]
}
