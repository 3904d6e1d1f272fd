import { createHash } from 'node:crypto'
import { networksOf } from '../../http/limits/networks.js'
import { createWindowedCounts } from '../../http/limits/windowed-counts.js'
import { signInLimitDefaults } from '../defaults.js'
import type { SignInLimits } from '../options.js'

/** Slows down guessing. */
export interface SignInLimit {
  /** Seconds until a try would be allowed; 0 when it would be. */
  wait(username: string, address: string): number
  /** Counts a try before it is made; what was no failure is given back. */
  attempt(username: string, address: string): SignInAttempt
}

export type SignInAttempt =
  | { readonly kind: 'allowed'; giveBack(): void }
  /** Seconds until the next try. */
  | { readonly kind: 'limited'; readonly retryAfter: number }

/** Counted in this process. Each replica counts for itself: with n of them a guesser has n times as many tries. */
export function createSignInLimit({
  perUserAndAddress = signInLimitDefaults.perUserAndAddress,
  perUser = signInLimitDefaults.perUser,
  perAddress = signInLimitDefaults.perAddress,
  window = signInLimitDefaults.window,
}: SignInLimits = {}): SignInLimit {
  const counts = createWindowedCounts({ window })

  /** The user at each network of the address as well: a company's 65,536 networks must not lock a user out everywhere. */
  const limitsOf = (username: string, address: string): readonly (readonly [key: string, limit: number])[] => {
    const user = createHash('sha256').update(username.normalize('NFKC').trim().toLowerCase()).digest('base64url')
    const networks = networksOf(address)
    return [
      ...networks.map(({ name, room }) => [`${user} ${name}`, perUserAndAddress * room] as const),
      ...networks.map(({ name, room }) => [`* ${name}`, perAddress * room] as const),
      [user, perUser],
    ]
  }
  const longestWait = (limits: ReturnType<typeof limitsOf>): number =>
    Math.max(...limits.map(([key, limit]) => counts.wait(key, limit)))

  return {
    wait: (username, address) => longestWait(limitsOf(username, address)),
    attempt(username, address) {
      const limits = limitsOf(username, address)
      // What one limit refuses does not count against the others, or one address could lock a user out everywhere.
      const retryAfter = longestWait(limits)
      if (retryAfter > 0) return { kind: 'limited', retryAfter }
      for (const [key] of limits) counts.add(key)
      return {
        kind: 'allowed',
        giveBack() {
          for (const [key] of limits) counts.remove(key)
        },
      }
    },
  }
}
