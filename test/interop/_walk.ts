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

export async function until(isSo: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
  const deadline = Date.now() + seconds * 1000
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${isSo}`)
    await new Promise((resume) => setTimeout(resume, 200))
  }
}
