import { unreachable } from '../../errors.js'
import { createFairQueue } from '../../http/limits/fair-queue.js'
import { widestNetworkOf } from '../../http/limits/networks.js'
import { createRefusalReport } from '../../http/limits/refusal-report.js'
import { maskedAddress } from '../../http/trusted-peers.js'
import { publish } from '../../telemetry/events.js'
import type { AuthenticatedUser, SignInContext } from '../options.js'
import { passwordThreads } from './password-threads.js'
import type { SignInLimit } from './sign-in-limit.js'
import type { UserDirectory } from './users.js'

export type SignInOutcome =
  | { readonly kind: 'signed-in'; readonly user: AuthenticatedUser }
  | { readonly kind: 'failed' }
  /** Too many failures. Seconds until the next try. */
  | { readonly kind: 'limited'; readonly retryAfter: number }
  /** Too many people at once. Seconds until the next try. */
  | { readonly kind: 'busy'; readonly retryAfter: number }

export type SignIn = (
  username: string,
  password: string,
  context: SignInContext,
  /** Whether the browser has left: then nothing is checked any more. */
  hasLeft?: () => boolean,
) => Promise<SignInOutcome>

export interface SignInOptions {
  readonly users: UserDirectory
  readonly limit: SignInLimit
  readonly clientIds: ReadonlySet<string>
  /** Passwords that may wait for their check, in each of the two lines. Default: 200, which is a minute's work. */
  readonly maxWaiting?: number
  /** Users that a directory is asked for at the same time. Default: 32. */
  readonly maxAsked?: number
}

/** Who is the user? */
export function createSignIn({ users, limit, clientIds, maxWaiting = 200, maxAsked = 32 }: SignInOptions): SignIn {
  // A hash costs a core for a quarter of a second; a directory costs us nothing but the waiting.
  const hashing = createFairQueue({ concurrency: passwordThreads, maxWaiting })
  const asking = createFairQueue({ concurrency: maxAsked, maxWaiting })

  const report = (limit: string) =>
    createRefusalReport((network, refused) => publish({ type: 'as.network.limited', limit, network, refused }))
  const [reportLimited, reportBusy] = [report('sign-in'), report('sign-in line')]

  const limited = (address: string, retryAfter: number): SignInOutcome => {
    reportLimited(widestNetworkOf(address))
    return { kind: 'limited', retryAfter }
  }
  const check = async (username: string, password: string, context: SignInContext): Promise<SignInOutcome> => {
    const { address, requestId, clientId } = context
    const attempt = await limit.attempt(username, address)
    switch (attempt.kind) {
      case 'limited':
        return limited(address, attempt.retryAfter)
      case 'allowed': {
        const user = await users.verify(username, password, context).catch(async (error: unknown) => {
          // A directory that cannot be asked is no failure of the user's.
          await attempt.giveBack()
          throw error
        })
        // A subject that is a client's identifier would let a user's token pass for that client's own (RFC 9068 §5).
        if (user === undefined || clientIds.has(user.subject)) {
          const subject = users.subjectOf(username)
          publish({
            type: 'as.sign-in.failed',
            requestId,
            client: clientId,
            address: maskedAddress(address),
            ...(subject !== undefined && { subject }),
          })
          return { kind: 'failed' }
        }
        await attempt.giveBack()
        publish({ type: 'as.sign-in.succeeded', requestId, client: clientId, subject: user.subject })
        return { kind: 'signed-in', user }
      }
      default:
        return unreachable(attempt)
    }
  }

  return async (username, password, context, hasLeft = () => false) => {
    if (username === '' || password === '' || username.length > 256 || password.length > 1024) return { kind: 'failed' }
    const { address } = context
    const retryAfter = await limit.wait(username, address)
    if (retryAfter > 0) return limited(address, retryAfter)
    // Counted when its turn comes and not before: two hundred people who sign in at once are not two hundred failures.
    const queue = users.isOurs(username) ? hashing : asking
    const network = widestNetworkOf(address)
    const turn = await queue.run(network, async () =>
      hasLeft() ? ({ kind: 'failed' } as const) : check(username, password, context),
    )
    if (turn.kind === 'done') return turn.result
    reportBusy(network)
    return { kind: 'busy', retryAfter: 10 }
  }
}
