import type { JWK } from 'jose'
import type { Certificate } from '../../http/_self-signed.js'
import type { ClientSecurity } from '../_client-security.js'
import type { KeyPair } from '../_jose.js'
import type { MessageSigning } from '../_message-signing.js'

/** Of an authorization or token request. `undefined` leaves one out. */
export type Parameters = Readonly<Record<string, string | undefined>>

/** A client as the server has to know it. */
export interface RegisteredClient {
  readonly id: string
  readonly publicJwk: JWK
  /** PEM. Client 1 is known by its subject, client 2 by its key. Absent where nothing is done by mutual TLS. */
  readonly certificate?: string
  readonly redirectUris: readonly string[]
  readonly scope: string
}

export interface Registration {
  readonly clients: readonly RegisteredClient[]
  readonly user: { readonly name: string; readonly password: string }
  /** What the server has to require of both clients. */
  readonly signing: MessageSigning
  /** Default: by keys. */
  readonly security?: ClientSecurity
  /** PEM: who has issued the certificate of client 1. */
  readonly authority?: string
}

/** The server and the protected resource that a plan is run against, reachable over HTTPS alone. */
export interface ServerUnderTest {
  readonly issuer: string
  /** A protected resource: GET, 200, JSON. */
  readonly resourceUrl: string
  /** The server's clock, seconds since the epoch: what an assertion or a proof of ours has to agree with. */
  now(): number
  /** Moves that clock. The suite waits instead. */
  advance(seconds: number): void
  close(): Promise<void>
}

export type StartServer = (registration: Registration) => Promise<ServerUnderTest>

/** One of the two clients of a plan. */
export interface SuiteClient {
  readonly id: string
  /** Authenticates the client. */
  readonly key: KeyPair
  /** Proves possession. */
  readonly proofKey: KeyPair
  /** For what is done by mutual TLS. */
  readonly certificate?: Certificate
  readonly redirectUri: string
  readonly scope: string
  readonly which: 1 | 2
}
