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
  /** How many per window, of one IPv4 address or one IPv6 /64. A /56 has twice as many, a /48 four times. */
  readonly room: number
  /** Seconds. Default: 60. */
  readonly window?: number
  /** Hears of the first refusal, and then once a minute how many there were. */
  readonly onRefused: (network: string, refused: number) => void
}

/** What anybody may ask for, but no network as often as it likes. Counted in this process: each replica counts for itself. */
export interface NetworkLimit {
  /** @throws TooManyRequests when one of the networks of the address has no room left; that is not counted. */
  assertRoom(address: string): void
  count(address: string): void
}

export function createNetworkLimit({ room: narrowest, window = 60, onRefused }: NetworkLimitOptions): NetworkLimit {
  const counts = createWindowedCounts({ window })
  const refused = createRefusalReport(onRefused)
  return {
    assertRoom(address) {
      for (const { name, room } of networksOf(address)) {
        const wait = counts.wait(name, narrowest * room)
        if (wait === 0) continue
        refused(name)
        throw new TooManyRequests(wait)
      }
    },
    count(address) {
      for (const { name } of networksOf(address)) counts.add(name)
    },
  }
}

/** For callers who prove who they are: only failures count, and never against a network where a caller has proved it. */
export interface FailureLimit {
  /** @throws TooManyRequests for a network that has no room left, unless it may be a client's. */
  assertRoom(address: string): void
  /** @throws TooManyRequests where it was one too many: instead of the error that says why. */
  failed(address: string): void
  proved(address: string): void
}

/** Seconds for which a network stays known: a day, so that a quiet night does not make a client a stranger. */
const remembered = 86_400

export function createFailureLimit(options: NetworkLimitOptions): FailureLimit {
  const failures = createNetworkLimit(options)
  const known = createWindowedCounts({ window: remembered, maxKeys: 10_000 })
  return {
    assertRoom(address) {
      // Who shares an address with a client must not shut it out. This machine's own is that of a gateway beside us, and
      // of all callers behind a proxy that is not named as ours.
      const mayBeClient = isLoopback(address) || known.wait(networksOf(address)[0].name, 1) > 0
      if (!mayBeClient) failures.assertRoom(address)
    },
    failed(address) {
      failures.assertRoom(address)
      failures.count(address)
    },
    proved(address) {
      const [{ name }] = networksOf(address)
      known.remove(name)
      known.add(name)
    },
  }
}
