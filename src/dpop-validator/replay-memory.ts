import { hash } from 'node:crypto'
import { UpstreamError } from '../errors.js'

/** Remembers for a while what was used. */
export interface ReplayMemory {
  /**
   * True for exactly one caller, until `expiresAt` (seconds since the epoch).
   * @throws UpstreamError `store_unavailable` when it cannot tell
   */
  firstUse(jkt: string, jti: string, expiresAt: number): boolean | Promise<boolean>
}

export interface LocalReplayMemoryOptions {
  /** Uses remembered at most. Beyond it nothing is accepted: what is alive is never forgotten. */
  readonly capacity: number
  readonly now: () => number
}

/** Seconds that one generation covers. */
const generationLength = 10

/** The memory of one process. Uses are kept by when they expire, ten seconds to a set, so forgetting drops whole sets. */
export function createLocalReplayMemory({ capacity, now }: LocalReplayMemoryOptions): ReplayMemory {
  const generations = new Map<number, Set<string>>()
  let size = 0
  let sweptAt = Number.NEGATIVE_INFINITY

  function sweep(at: number): void {
    if (at === sweptAt) return
    sweptAt = at
    for (const [generation, uses] of generations) {
      if (generation >= at) continue
      size -= uses.size
      generations.delete(generation)
    }
  }

  return {
    firstUse(jkt, jti, expiresAt) {
      sweep(Math.floor(now() / generationLength))
      const use = keyOf(jkt, jti)
      for (const uses of generations.values()) if (uses.has(use)) return false
      if (size >= capacity) throw new UpstreamError('store_unavailable', 'the replay memory is full')
      const generation = Math.floor(expiresAt / generationLength)
      let uses = generations.get(generation)
      if (uses === undefined) {
        uses = new Set()
        generations.set(generation, uses)
      }
      uses.add(use)
      size++
      return true
    },
  }
}

/** One fixed length, whatever the sender chose; the two parts cannot run into each other, a thumbprint has 43 characters. */
function keyOf(jkt: string, jti: string): string {
  return hash('sha256', `${jkt}${jti}`, 'base64url').slice(0, 24)
}
