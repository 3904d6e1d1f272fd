import { hash } from 'node:crypto'
import { UpstreamError } from '../../errors.js'
import type { Store } from '../../store/store.js'

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
  /** Seconds of a clock that is never set. */
  readonly elapsed?: () => number
}

/** Seconds that one generation covers. */
const generationLength = 10

interface Generation {
  readonly uses: Set<string>
  /** When the last of them expires: seconds since the epoch. */
  expiresAt: number
}

/**
 * The memory of one process. Uses are kept by when they expire, ten seconds to a set, so forgetting drops whole sets: once
 * as much time has gone by as the proofs had left, and the clock says so too. Whichever way the clock is set meanwhile, a
 * proof that is still remembered is not forgotten while it could be used again.
 */
export function createLocalReplayMemory({
  capacity,
  now,
  elapsed = () => performance.now() / 1000,
}: LocalReplayMemoryOptions) {
  const generations = new Map<number, Generation>()
  let size = 0
  let sweptAt = Number.NEGATIVE_INFINITY

  function sweep(wallClock: number, current: number): void {
    if (current === sweptAt && size < capacity) return
    sweptAt = current
    for (const [id, { uses, expiresAt }] of generations) {
      if (id >= current || expiresAt > wallClock) continue
      size -= uses.size
      generations.delete(id)
    }
  }

  return {
    firstUse(hash: string, expiresAt: number): boolean {
      // 128 bits as a string of 16 characters: a third of the memory that the text takes.
      const use = Buffer.from(hash, 'base64url').toString('latin1', 0, 16)
      const [wallClock, monotonic] = [now(), elapsed()]
      sweep(wallClock, Math.floor(monotonic / generationLength))
      for (const { uses } of generations.values()) if (uses.has(use)) return false
      if (size >= capacity) throw new UpstreamError('store_unavailable', 'the replay memory is full')
      const id = Math.floor((monotonic + Math.max(0, expiresAt - wallClock)) / generationLength)
      let generation = generations.get(id)
      if (generation === undefined) {
        generation = { uses: new Set(), expiresAt }
        generations.set(id, generation)
      }
      generation.uses.add(use)
      generation.expiresAt = Math.max(generation.expiresAt, expiresAt)
      size++
      return true
    },
  } satisfies ReplayMemory
}

const keyPrefix = 'dpop-proof:'

/** A memory as the option `replay` takes it: so it can outlive the verifier that asks it. */
export function asReplayStore(memory: ReplayMemory): Pick<Store, 'addIfAbsent'> {
  return {
    addIfAbsent: async (key, _value, expiresAt) => {
      if (typeof expiresAt !== 'number') throw new TypeError('a proof ends at a time')
      return memory.firstUse(key.slice(keyPrefix.length), expiresAt)
    },
  }
}

/** A store that all processes share. */
export function createSharedReplayMemory(store: Pick<Store, 'addIfAbsent'>): ReplayMemory {
  return {
    async firstUse(use, expiresAt) {
      try {
        return (await store.addIfAbsent(`${keyPrefix}${use}`, '1', expiresAt)) === true
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
