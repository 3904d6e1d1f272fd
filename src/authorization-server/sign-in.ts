import { unreachable } from '../errors.js'
import { publish } from '../telemetry/events.js'
import type { AuthenticatedUser, SignInContext } from './options.js'
import type { SignInLimit } from './sign-in-limit.js'
import type { UserDirectory } from './users.js'

export type SignInOutcome =
  | { readonly kind: 'signed-in'; readonly user: AuthenticatedUser }
  | { readonly kind: 'failed' }
  /** Seconds until the next try. */
  | { readonly kind: 'limited'; readonly retryAfter: number }

export type SignIn = (username: string, password: string, context: SignInContext) => Promise<SignInOutcome>

export interface SignInOptions {
  readonly users: UserDirectory
  readonly limit: SignInLimit
  readonly clientIds: ReadonlySet<string>
  /** Passwords that may be waiting for their check: each check costs tens of MiB and most of a core. Default: 32. */
  readonly maxPending?: number
}

/** Who is the user? */
export function createSignIn({ users, limit, clientIds, maxPending = 32 }: SignInOptions): SignIn {
  let pending = 0

  const check = async (username: string, password: string, context: SignInContext): Promise<SignInOutcome> => {
    const { address } = context
    const attempt = await limit.attempt(username, address)
    switch (attempt.kind) {
      case 'limited':
        publish({ type: 'as.sign-in.limited', address })
        return attempt
      case 'allowed': {
        const user = await users.verify(username, password, context)
        // A subject that is a client's identifier would let a user's token pass for that client's own (RFC 9068 §5).
        if (user === undefined || clientIds.has(user.subject)) {
          publish({ type: 'as.sign-in.failed', address })
          return { kind: 'failed' }
        }
        await attempt.succeeded()
        publish({ type: 'as.sign-in.succeeded', subject: user.subject })
        return { kind: 'signed-in', user }
      }
      default:
        return unreachable(attempt)
    }
  }

  return async (username, password, context) => {
    if (username === '' || password === '' || username.length > 256 || password.length > 1024) return { kind: 'failed' }
    if (pending >= maxPending) return { kind: 'limited', retryAfter: 10 }
    pending++
    try {
      return await check(username, password, context)
    } finally {
      pending--
    }
  }
}
