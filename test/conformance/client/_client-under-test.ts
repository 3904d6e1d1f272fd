import type { Certificate } from '../../http/_self-signed.js'
import type { ClientSecurity } from '../_client-security.js'
import type { KeyPair } from '../_jose.js'
import type { MessageSigning } from '../_message-signing.js'

/** What a client has to know of the server before it starts. */
export interface ClientRegistration {
  readonly issuer: string
  /** PEM certificate to trust for the issuer, where it speaks TLS. */
  readonly issuerCa?: string
  readonly clientId: string
  readonly key: KeyPair
  /** For what is done by mutual TLS. */
  readonly certificate?: Certificate
  /** Default: by keys. */
  readonly security?: ClientSecurity
  readonly scope: string
  /** What it has to sign, and to take signed only. */
  readonly signing: MessageSigning
  /** The protected resource that it calls for its user. */
  readonly accountsUrl: string
}

/** A web application that signs its users in, reachable over HTTP alone. */
export interface ClientUnderTest {
  readonly redirectUri: string
  /** Opening it signs a user in. */
  readonly loginUrl: string
  /** Calling it, as a signed-in user, calls the accounts endpoint. */
  readonly accountsUrl: string
  close(): Promise<void>
}

export type StartClient = (registration: ClientRegistration) => Promise<ClientUnderTest>
