import type { RefusalCode } from '../../refusal.js'

/** What a person reads: what happened, and what to do about it. `docs/errors.md` says the same, with the causes. */
export interface Advice {
  readonly title: string
  readonly remedy: string
}

/** What the gateway's own pages say, in one language. */
export interface PageTexts {
  /** BCP 47. */
  readonly language: string
  readonly advice: Readonly<Record<RefusalCode, Advice>>
  /** Of the page for several authorization servers. */
  readonly chooseAuthority: string
  /** Beside the one of the last login. */
  readonly lastTime: string
  readonly signIn: string
  readonly signInAsOther: string
  readonly signOut: string
  readonly tryAgain: string
  readonly back: string
  readonly code: string
  readonly request: string
  /** Before what the developer is told, which is English. */
  readonly reason: string
  readonly oneMoment: string
  readonly goOn: string
  readonly signedIn: string
  readonly closeWindow: string
}
