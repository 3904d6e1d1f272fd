import { networksOf } from '../../http/limits/networks.js'
import type { Count, Store } from '../../store/store.js'
import { signInLimitDefaults } from '../defaults.js'
import type { SignInLimits } from '../options.js'

/** Slows down guessing. */
export interface SignInLimit {
  /** Seconds until a try would be allowed; 0 when it would be. */
  wait(username: string, address: string): Promise<number>
  /** Counts a try before it is made; what was no failure is given back. */
  attempt(username: string, address: string): Promise<SignInAttempt>
}

export type SignInAttempt =
  | { readonly kind: 'allowed'; giveBack(): Promise<void> }
  /** Seconds until the next try. */
  | { readonly kind: 'limited'; readonly retryAfter: number }

/**
 * @param count Of all processes together: more of them are no more tries for a guesser.
 * @param nameOf A name for a user in the store, which does not tell who it is.
 */
export function createSignInLimit(
  {
    perUserAndAddress = signInLimitDefaults.perUserAndAddress,
    perUser = signInLimitDefaults.perUser,
    perAddress = signInLimitDefaults.perAddress,
    window = signInLimitDefaults.window,
  }: SignInLimits | undefined = {},
  count: Store['count'],
  nameOf: (username: string) => string,
): SignInLimit {
  type Limit = readonly [key: string, limit: number]
  /** The user at each network of the address as well: a company's 65,536 networks must not lock a user out everywhere. */
  const limitsOf = (username: string, address: string): readonly Limit[] => {
    const user = nameOf(username.normalize('NFKC').trim().toLowerCase())
    const networks = networksOf(address)
    return [
      ...networks.map(({ name, room }) => [`${user} ${name}`, perUserAndAddress * room] as const),
      ...networks.map(({ name, room }) => [`* ${name}`, perAddress * room] as const),
      [user, perUser],
    ]
  }
  const counted = (limits: readonly Limit[], cost: -1 | 0 | 1): Promise<readonly Count[]> =>
    Promise.all(limits.map(([key, limit]) => count(`sign-in:${key}`, cost, { limit, window })))
  const longest = (counts: readonly Count[]): number => Math.max(0, ...counts.map(({ reset }) => Math.ceil(reset)))

  return {
    async wait(username, address) {
      const counts = await counted(limitsOf(username, address), 0)
      return longest(counts.filter(({ left }) => left === 0))
    },
    async attempt(username, address) {
      const limits = limitsOf(username, address)
      const counts = await counted(limits, 1)
      if (counts.every((one) => one.counted))
        return { kind: 'allowed', giveBack: async () => void (await counted(limits, -1)) }
      // What one limit refuses does not count against the others, or one address could lock a user out everywhere.
      await counted(
        limits.filter((_, index) => counts[index]?.counted),
        -1,
      )
      return { kind: 'limited', retryAfter: longest(counts.filter((one) => !one.counted)) }
    },
  }
}
