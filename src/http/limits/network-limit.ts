import type { Store } from '../../store/store.js'
import { isLoopback } from '../loopback.js'
import { networksOf } from './networks.js'
import { createRefusalReport } from './refusal-report.js'
import { createWindowedCounts } from './windowed-counts.js'

/** A network has used up what it may have until its window ends. */
export class TooManyRequests extends Error {
  override readonly name = 'TooManyRequests'
  /** Seconds. */
  readonly retryAfter: number

  constructor(retryAfter: number) {
    super('too many requests of this kind come from your network')
    this.retryAfter = retryAfter
  }
}

export interface NetworkLimitOptions {
  /** Of what is limited: part of the keys in the store. */
  readonly name: string
  /** How many per window, of one IPv4 address or one IPv6 /64. A /56 has twice as many, a /48 four times. */
  readonly room: number
  /** Seconds. Default: 60. */
  readonly window?: number
  /** Of all processes together. */
  readonly count: Store['count']
  /** Hears of the first refusal, and then once a minute how many there were. */
  readonly onRefused: (network: string, refused: number) => void
}

/** What anybody may ask for, but no network as often as it likes. */
export interface NetworkLimit {
  /** Counts one. @throws TooManyRequests when one of the networks of the address has no room left; that is not counted. */
  take(address: string): Promise<void>
}

export function createNetworkLimit(options: NetworkLimitOptions): NetworkLimit {
  const { take } = createNetworkCounts(options)
  return { take }
}

function createNetworkCounts({ name: limit, room: narrowest, window = 60, count, onRefused }: NetworkLimitOptions) {
  const refused = createRefusalReport(onRefused)
  const counted = async (address: string, cost: 0 | 1): Promise<void> => {
    // The narrowest first: what it has no room for is not counted against the wider ones, which are others' too.
    for (const { name, room } of networksOf(address)) {
      const { counted, left, reset } = await count(`network:${limit}:${name}`, cost, {
        limit: narrowest * room,
        window,
      })
      if (counted && (cost > 0 || left > 0)) continue
      refused(name)
      throw new TooManyRequests(Math.max(1, Math.ceil(reset)))
    }
  }
  return {
    take: (address: string) => counted(address, 1),
    assertRoom: (address: string) => counted(address, 0),
  }
}

/** For callers who prove who they are: only failures count, and never against a network where a caller has proved it. */
export interface FailureLimit {
  /** @throws TooManyRequests for a network that has no room left, unless it may be a client's. */
  assertRoom(address: string): Promise<void>
  /** @throws TooManyRequests where it was one too many: instead of the error that says why. */
  failed(address: string): Promise<void>
  proved(address: string): Promise<void>
}

export interface FailureLimitOptions extends NetworkLimitOptions {
  /** Remembers for all processes where a caller has proved who it is. */
  readonly store: Pick<Store, 'get' | 'set'>
}

/** Seconds for which a network stays known: a day, so that a quiet night does not make a client a stranger. */
const remembered = 86_400

export function createFailureLimit({ store, ...options }: FailureLimitOptions): FailureLimit {
  const failures = createNetworkCounts(options)
  // What this process knows by itself, half as long: a network that is in use is written anew before the store forgets it.
  const known = createWindowedCounts({ window: remembered / 2, maxKeys: 10_000 })
  const keyOf = (network: string): string => `known:${options.name}:${network}`

  return {
    async assertRoom(address) {
      // Who shares an address with a client must not shut it out. This machine's own is that of a gateway beside us, and
      // of all callers behind a proxy that is not named as ours.
      const [{ name }] = networksOf(address)
      if (isLoopback(address) || known.wait(name, 1) > 0) return
      try {
        await failures.assertRoom(address)
      } catch (error) {
        // Another process may know it. A store that cannot say so knows nothing.
        if ((await store.get(keyOf(name)).catch(() => undefined)) === undefined) throw error
      }
    },
    failed: failures.take,
    async proved(address) {
      const [{ name }] = networksOf(address)
      if (known.wait(name, 1) > 0) return
      known.add(name)
      // Known here all the same.
      await store.set(keyOf(name), '', Date.now() / 1000 + remembered).catch(() => undefined)
    },
  }
}
