import { widestNetworkOf } from '../../http/limits/networks.js'
import { circuitBreakerDefaults } from '../defaults.js'
import type { CircuitBreakerOptions } from '../route-options.js'

/**
 * Whether one upstream is worth a request. Two things open it: connections that cannot be made, so many in a row; and
 * answers that say that it is down, to so many callers and to at least half of all. A caller has one vote, which is its
 * last answer, so that no caller by itself can take an upstream away from the others.
 */
export interface CircuitBreaker {
  /** Asked for a request that is sent then: when the breaker is half open, only so many are let through. */
  admits(): boolean
  /** False while it is open because no connection could be made. One that only answers badly is better than none. */
  isReachable(): boolean
  /** For people who look. `half-open`: the next requests try whether it is back. */
  state(): BreakerState
  /** A connection stands. */
  reached(): void
  /** No connection could be made. */
  unreachable(): void
  /** @param caller address of the client that asked */
  answered(caller: string, how: 'well' | 'down'): void
}

/** Requests that try it when its pause is over; as many that succeed close it. */
const trials = 3
/** Seconds that a vote counts. */
const votingTime = 10
/** Callers whose votes are kept: the oldest goes. */
const mostVotes = 1000
/** Seconds of the longest pause. */
const longestPause = 30

/** `open`: requests go elsewhere. `half-open`: some try whether it is well again. */
export type BreakerState = 'closed' | 'open' | 'half-open'
type Cause = 'unreachable' | 'answers'
type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly cause: Cause; readonly until: number }
  | { readonly kind: 'half-open'; readonly cause: Cause; admitted: number; succeeded: number; renewedAt: number }

const closed: State = { kind: 'closed' }

export function createCircuitBreaker(
  { failures = circuitBreakerDefaults.failures, openFor = circuitBreakerDefaults.openFor }: CircuitBreakerOptions = {},
  now: () => number = () => performance.now() / 1000,
): CircuitBreaker {
  let state: State = closed
  let pause = openFor
  let inARow = 0
  const votes = createVotes(failures, now)

  const become = (next: State): void => {
    state = next
    inARow = 0
    votes.clear()
  }
  const open = (cause: Cause): void => {
    if (state.kind === 'half-open') pause = Math.min(pause * 2, longestPause)
    become({ kind: 'open', cause, until: now() + pause })
  }
  const succeeded = (cause: Cause): void => {
    if (state.kind !== 'half-open' || state.cause !== cause) return
    state.succeeded++
    if (state.succeeded < trials) return
    pause = openFor
    become(closed)
  }

  return {
    admits() {
      if (state.kind === 'closed') return true
      const time = now()
      const trying: State =
        state.kind === 'open' && time >= state.until
          ? { kind: 'half-open', cause: state.cause, admitted: 0, succeeded: 0, renewedAt: time }
          : state
      state = trying
      if (trying.kind !== 'half-open') return false
      // Trials that have no end, such as a slow upload, must not keep it half open.
      if (time >= trying.renewedAt + pause) {
        trying.admitted = 0
        trying.renewedAt = time
      }
      return trying.admitted++ < trials
    },

    state: () => (state.kind === 'open' && now() >= state.until ? 'half-open' : state.kind),

    isReachable: () => state.kind === 'closed' || state.cause === 'answers',

    reached() {
      inARow = 0
      succeeded('unreachable')
    },

    unreachable() {
      if (state.kind === 'open') return
      inARow++
      if (state.kind === 'half-open' || inARow >= failures) open('unreachable')
    },

    answered(caller, how) {
      if (how === 'well') succeeded('answers')
      if (state.kind !== 'open' && votes.areAgainst(caller, how)) open('answers')
    },
  }
}

/** The last answer to each network that has called lately. Nothing is kept before the first bad one. */
function createVotes(failures: number, now: () => number) {
  const votes = new Map<string, { readonly how: 'well' | 'down'; readonly at: number }>()
  let lastDown = Number.NEGATIVE_INFINITY
  const clear = (): void => votes.clear()

  /** Whether enough of them say by now that it is down. */
  const areAgainst = (caller: string, how: 'well' | 'down'): boolean => {
    if (how === 'well' && votes.size === 0) return false
    const at = now()
    if (how === 'down') lastDown = at
    else if (at > lastDown + votingTime) clear()
    const voter = widestNetworkOf(caller)
    votes.delete(voter)
    votes.set(voter, { how, at })
    const [oldest = ''] = votes.keys()
    if (votes.size > mostVotes) votes.delete(oldest)
    if (how === 'well') return false
    let down = 0
    for (const [voter, vote] of votes)
      if (vote.at < at - votingTime) votes.delete(voter)
      else if (vote.how === 'down') down++
    return down >= failures && down * 2 >= votes.size
  }
  return { areAgainst, clear }
}
