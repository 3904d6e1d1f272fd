import type { KeyPair } from '../_jose.js'
import type { Conversation } from './_conversation.js'
import type { SuiteClient } from './_server-under-test.js'

/** What a module is given: a server, a conversation with it, two registered clients. */
export interface Run {
  readonly conversation: Conversation
  readonly one: SuiteClient
  readonly two: SuiteClient
  /** A key that nobody has registered and no token is bound to. */
  readonly stranger: KeyPair
  /** Says why the module does not apply. */
  skip(reason: string): void
}

/** One module of the suite's plan. */
export interface Module {
  /** The suite's name, without its prefix `fapi2-security-profile-final-`. */
  readonly name: string
  /** Not part of the `plain_oauth` plan. */
  readonly openidOnly?: true
  /** Moves the server's clock, and so gets a server of its own. */
  readonly movesClock?: true
  readonly run: (run: Run) => Promise<void>
}
