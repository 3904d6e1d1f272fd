/** Counts what is under way, and tells when all of it is over. */
export interface Underway {
  size(): number
  enter(): void
  leave(): void
  /** Resolves when nothing is under way, perhaps at once. */
  idle(): Promise<void>
}

export function createUnderway(): Underway {
  let count = 0
  let tell: (() => void)[] = []
  return {
    size: () => count,
    enter() {
      count++
    },
    leave() {
      count--
      if (count > 0 || tell.length === 0) return
      const told = tell
      tell = []
      for (const resolve of told) resolve()
    },
    idle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => tell.push(resolve))),
  }
}
