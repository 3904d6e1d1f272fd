/** How something in flight is ended, for draining. */
export interface Ending {
  /** Whose it is. */
  readonly frontend: object
  /** Ends what would not end by itself. */
  leave?: () => void
  breakOff(): void
}

/** What is there at the moment, in no order: everything that comes and goes with every request. */
export interface InFlight<Member> {
  readonly size: number
  /** @returns what takes it off again */
  enter(member: Member): () => void
  /** All that are there when it is called. */
  all(): readonly Member[]
}

interface Place<Member> {
  readonly member: Member
  index: number
}

/**
 * Not a `Set`: V8 makes a set that is written to all the time a new table every few times, and an old table keeps its
 * successor alive, with every request in it, until the next full collection. Leaving here costs no search either.
 */
export function createInFlight<Member>(): InFlight<Member> {
  const places: Place<Member>[] = []
  return {
    get size() {
      return places.length
    },
    enter(member) {
      const place = { member, index: places.length }
      places.push(place)
      return () => {
        if (places[place.index] !== place) return
        const last = places.pop()
        if (last === undefined || last === place) return
        last.index = place.index
        places[place.index] = last
      }
    },
    all: () => places.map(({ member }) => member),
  }
}

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
