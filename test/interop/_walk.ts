/** What is tried with a program, in order: a sentence, and how. */
export type Trials = Readonly<Record<string, () => Promise<void>>>

/** A foreign program that runs, with ours beside it. */
export interface Walk {
  readonly trials: Trials
  /** Of all programs, for a trial that fails. */
  output(): string
  stop(): Promise<void>
}

export interface ForeignProgram {
  /** With its version. */
  readonly title: string
  /** Commands without which it cannot be tried. */
  readonly needs: readonly string[]
  begin(): Promise<Walk>
}

/** What is needed cannot be had on this machine. */
export class NotHere extends Error {}

export function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(`does not hold: ${what}`)
}
