import type { ProvisionedFrontend } from '../request.js'
import { partsOfRoll } from '../session/session-roll.js'

/** How many sessions there are, without counting all of them. */
export type SessionCensus = (frontends: readonly ProvisionedFrontend[]) => Promise<ReadonlyMap<string, number>>

/** Seconds for which an estimate serves. */
const freshness = 60
/** Entries of the roll after which the rest of its parts is taken to be alike. */
const enough = 2000
/** Entries of which it is asked whether they are alive. */
const sample = 50

/**
 * Reads parts of the roll until there are enough entries, and asks of some whether they are alive; what is dead is struck
 * off, so that the next estimate is better. Up to fifty sessions it is exact.
 */
export function createSessionCensus(now: () => number): SessionCensus {
  const known = new Map<string, { readonly count: Promise<number>; readonly at: number }>()
  return async (frontends) => {
    const names = new Set(frontends.map(({ name }) => name))
    for (const name of known.keys()) if (!names.has(name)) known.delete(name)
    const counts = frontends.map(async (frontend): Promise<[string, number]> => {
      const before = known.get(frontend.name)
      const fresh = before !== undefined && before.at > now() - freshness ? before : undefined
      const { count } = fresh ?? { count: estimate(frontend) }
      if (fresh === undefined) known.set(frontend.name, { count, at: now() })
      // What could not be known is asked again.
      count.catch(() => known.delete(frontend.name))
      return [frontend.name, await count]
    })
    return new Map(await Promise.all(counts))
  }
}

async function estimate({ sessions }: ProvisionedFrontend): Promise<number> {
  const entries: string[] = []
  let parts = 0
  while (parts < partsOfRoll && entries.length < enough) entries.push(...(await sessions.roll.part(parts++)))
  // Keys are hashes, in order of their value: any of them is as good as any other.
  const asked = spread(entries, sample)
  const alive = await Promise.all(
    asked.map(async (key) => {
      const isAlive = await sessions.isAlive(key)
      if (!isAlive) await sessions.roll.leave(key)
      return isAlive
    }),
  )
  const share = asked.length === 0 ? 0 : alive.filter((is) => is).length / asked.length
  return Math.round((entries.length * share * partsOfRoll) / parts)
}

/** So many of them, evenly. */
function spread<Member>(members: readonly Member[], most: number): readonly Member[] {
  const step = Math.max(1, members.length / most)
  return Array.from(
    { length: Math.min(most, members.length) },
    (_, index) => members[Math.floor(index * step)] as Member,
  )
}
