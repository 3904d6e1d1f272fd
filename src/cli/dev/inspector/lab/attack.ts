import type { Lab } from './lab.js'

/** Something that an attacker tries, for real, against the running demo. */
export interface Attack {
  readonly name: string
  readonly title: string
  /** Who is attacked. */
  readonly at: 'api' | 'gateway' | 'authorization-server'
  /** What the attacker has, and wants. */
  readonly says: string
  /** The code that it has to be refused with. */
  readonly expected: string
  /** What to do for who meets this code and attacks nobody. */
  readonly remedy: string
  /** Where the documents speak of it. */
  readonly href: string
  /** @param strike Makes the request that it is all about. */
  run(lab: Lab, strike: Strike): Promise<void>
}

export type Strike = (request: () => Promise<Response>) => Promise<void>
