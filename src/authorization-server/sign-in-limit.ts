import { createHash } from 'node:crypto'
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { SignInLimits } from './options.js'

/** Slows down guessing. A try is counted before it is made and given back when it succeeds, so parallel guesses count as well. */
export interface SignInLimit {
  attempt(username: string, address: string): Promise<SignInAttempt>
}

export type SignInAttempt =
  | { readonly kind: 'allowed'; succeeded(): Promise<void> }
  /** Seconds until the next try. */
  | { readonly kind: 'limited'; readonly retryAfter: number }

/** Counted in this process. Each replica counts for itself: with n of them a guesser has n times as many tries. */
export function createSignInLimit({
  perUserAndAddress = 5,
  perUser = 50,
  perAddress = 50,
  window = 900,
}: SignInLimits = {}): SignInLimit {
  const limiter = (points: number): RateLimiterMemory => new RateLimiterMemory({ points, duration: window })
  const pairs = limiter(perUserAndAddress)
  const users = limiter(perUser)
  const addresses = limiter(perAddress)

  return {
    async attempt(username, address) {
      const [user, network] = [digest(username.normalize('NFKC').trim().toLowerCase()), networkOf(address)]
      const counts: readonly (readonly [RateLimiterAbstract, string])[] = [
        [pairs, `${user} ${network}`],
        [addresses, network],
        [users, user],
      ]
      for (const [index, [count, key]] of counts.entries()) {
        const retryAfter = await consume(count, key)
        if (retryAfter === undefined) continue
        // What one limit refuses is not to count against the others, or one address could lock a user out everywhere.
        await giveBack(counts.slice(0, index))
        return { kind: 'limited', retryAfter }
      }
      return {
        kind: 'allowed',
        async succeeded() {
          await giveBack(counts)
        },
      }
    },
  }
}

async function consume(limiter: RateLimiterAbstract, key: string): Promise<number | undefined> {
  try {
    await limiter.consume(key)
    return undefined
  } catch (reason) {
    if (reason instanceof RateLimiterRes) return Math.max(1, Math.ceil(reason.msBeforeNext / 1000))
    throw reason
  }
}

async function giveBack(counts: readonly (readonly [RateLimiterAbstract, string])[]): Promise<void> {
  await Promise.all(counts.map(([limiter, key]) => limiter.reward(key)))
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** One household's or host's IPv6 addresses are a /64: counting them one by one would count nothing. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail = ''] = address.split('::')
  const groups = head.split(':')
  if (address.includes('::')) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return `${groups.slice(0, 4).join(':')}::/64`
}
