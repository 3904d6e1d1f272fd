/** What one item of endurance found out. */
export interface Report {
  /** One line for people. */
  readonly line: string
  /** Empty when all is well. */
  readonly failures: readonly string[]
}

/** Collects what is wrong, and says each kind of it once with how often it came. */
export interface Failures {
  add(what: string): void
  unless(holds: boolean, what: string): void
  list(): readonly string[]
}

export function collectFailures(): Failures {
  const counts = new Map<string, number>()
  const add = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1)
  return {
    add,
    unless(holds, what) {
      if (!holds) add(what)
    },
    list: () => [...counts].map(([what, count]) => (count === 1 ? what : `${what} (${count} times)`)),
  }
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`
}

/** By how much something has grown: `+1.0 MiB`. */
export function grown(bytes: number): string {
  return `${bytes < 0 ? '−' : '+'}${mebibytes(Math.abs(bytes))}`
}

/** Waits until something holds. False when it has not within so many seconds. */
export async function holdsWithin(seconds: number, holds: () => boolean | Promise<boolean>): Promise<boolean> {
  const limit = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > limit) return false
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return true
}
