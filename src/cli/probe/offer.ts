import type { FrontendOptions } from '../../gateway/options.js'
import type { IssuerMetadata } from './issuer.js'
import type { Trial } from './probe.js'

/** What an authorization server says of itself, and the frontend that is to log in there. */
export interface Offer {
  readonly metadata: IssuerMetadata
  readonly frontend: FrontendOptions
  /** A list of texts in the metadata; undefined when it says nothing of it. */
  readonly listed: (name: string) => readonly string[] | undefined
  /** The frontend's client, for a sentence. */
  readonly client: string
  readonly wrong: (result: string, remedy: string) => Trial
  readonly note: (result: string, remedy: string) => Trial
}

/** One kind of thing that a login needs, and what is wrong with it at this server. */
export type Check = (offer: Offer) => Iterable<Trial>
