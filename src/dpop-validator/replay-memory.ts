import { hash } from 'node:crypto'
import { UpstreamError } from '../errors.js'
import type { Store } from '../store/store.js'

/** Remembers for a while what was used. */
export interface ReplayMemory {
  /**
   * True for exactly one caller, until `expiresAt` (seconds since the epoch).
   * @throws UpstreamError `store_unavailable` when it cannot tell
   */
  firstUse(use: string, expiresAt: number): boolean | Promise<boolean>
}

/**
 * One use of one proof, by one key: a `jti` is its key's own business (RFC 9449 §11.1), and what is remembered has one
 * length, whatever the sender chose. The two parts cannot run into each other: a thumbprint has 43 characters.
 */
export function proofUse(jkt: string, jti: string): string {
  return hash('sha256', `${jkt}${jti}`, 'base64url')
}

export interface LocalReplayMemoryOptions {
  /** Uses remembered at most. Beyond it nothing is accepted: what is alive is never forgotten. */
  readonly capacity: number
  /** Seconds since the epoch. */
  readonly now: () => number
}

/** Seconds that one generation covers. */
const generationLength = 10

/** The memory of one process. Uses are kept by when they expire, ten seconds to a set, so forgetting drops whole sets. */
export function createLocalReplayMemory({ capacity, now }: LocalReplayMemoryOptions) {
  const generations = new Map<number, Set<string>>()
  let size = 0
  let sweptAt = Number.NEGATIVE_INFINITY

  function sweep(current: number): void {
    if (current === sweptAt) return
    sweptAt = current
    for (const [generation, uses] of generations) {
      if (generation >= current) continue
      size -= uses.size
      generations.delete(generation)
    }
  }

  return {
    firstUse(hash: string, expiresAt: number): boolean {
      // 128 bits as a string of 16 characters: a third of the memory that the text takes.
      const use = Buffer.from(hash, 'base64url').toString('latin1', 0, 16)
      sweep(Math.floor(now() / generationLength))
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
  } satisfies ReplayMemory
}

/** A store that all processes share. */
export function createSharedReplayMemory(store: Pick<Store, 'addIfAbsent'>): ReplayMemory {
  return {
    async firstUse(use, expiresAt) {
      try {
        return (await store.addIfAbsent(`dpop-proof:${use}`, '1', expiresAt)) === true
      } catch (cause) {
        throw new UpstreamError('store_unavailable', 'the replay store did not answer', { cause })
      }
    },
  }
}

/** Falls back on this process alone while the shared memory cannot tell. Both see every proof, so none slips between. */
export function createReplayMemoryWithFallback(shared: ReplayMemory, local: ReplayMemory): ReplayMemory {
  return {
    async firstUse(use, expiresAt) {
      if (!(await local.firstUse(use, expiresAt))) return false
      try {
        return await shared.firstUse(use, expiresAt)
      } catch (error) {
        if (error instanceof UpstreamError) return true
        throw error
      }
    },
  }
}
