import { timeoutDefaults } from '../defaults.js'
import { Refusal } from '../refusal.js'
import type { TimeoutOptions } from '../route-options.js'
import { createInFlight } from './in-flight.js'

/** Seconds, complete. `total` is 0 where there is none. */
export type Timeouts = Required<TimeoutOptions>

export function timeoutsOf({
  connect = timeoutDefaults.connect,
  responseHeaders = timeoutDefaults.responseHeaders,
  idle = timeoutDefaults.idle,
  total = 0,
}: TimeoutOptions = {}): Timeouts {
  return { connect, responseHeaders, idle, total }
}

export type TimeoutName = keyof Timeouts

/** Says which of its times the call has used up. */
export class UpstreamTimeout extends Refusal {
  readonly timeout: TimeoutName
  constructor(timeout: TimeoutName, detail: string) {
    super('bff.upstream.timeout', detail)
    this.timeout = timeout
  }
}

export function timeoutRefusal(name: TimeoutName, timeouts: Timeouts): UpstreamTimeout {
  const what = {
    connect: 'no connection to the upstream',
    responseHeaders: 'no answer from the upstream',
    idle: 'no byte in either direction',
    total: 'not finished',
  }[name]
  return new UpstreamTimeout(name, `${what} within ${timeouts[name]} s (timeout ${name})`)
}

/** The upstream would have taken more of the body, and the client sent none. */
export function clientTimeout({ idle }: Timeouts): Refusal {
  return new Refusal('bff.request.timeout', `no byte of the request's body within ${idle} s`)
}

/**
 * One attempt, watched from the connection to the last byte: first the connection has its time, then, once all is sent,
 * the head of the response. While a body is on its way, up or down, some byte of it has to come every now and then.
 */
export interface Watch {
  readonly onConnected: (request: 'sent' | 'sending') => void
  readonly onSent: () => void
  readonly onBytes: () => void
  readonly onAnswered: () => void
  stop(): void
}

interface Watched {
  readonly timeouts: Timeouts
  readonly onExpired: (refusal: Refusal) => void
  /** What runs out at `until` (milliseconds of the monotonic clock). */
  name: TimeoutName
  until: number
  /** Bytes have passed since the last check. */
  isActive: boolean
  stop(): void
}

/**
 * All attempts that wait for something, looked at twenty times a second. A timer for each would cost more than it looks:
 * timers outlive their requests in the garbage collector's eyes, and take them along.
 */
const watched = createInFlight<Watched>()
let clock: NodeJS.Timeout | undefined
const tickMs = 50

function look(): void {
  const now = performance.now()
  for (const one of watched.all()) {
    if (one.isActive) {
      one.isActive = false
      if (one.name === 'idle') one.until = now + one.timeouts.idle * 1000
    }
    if (one.until > now) continue
    one.stop()
    one.onExpired(timeoutRefusal(one.name, one.timeouts))
  }
  if (watched.size > 0) return
  clearInterval(clock)
  clock = undefined
}

export function watchAttempt(timeouts: Timeouts, onExpired: (refusal: Refusal) => void): Watch {
  const one: Watched = { timeouts, onExpired, name: 'connect', until: 0, isActive: false, stop() {} }
  const expect = (name: TimeoutName): void => {
    one.name = name
    one.until = performance.now() + timeouts[name] * 1000
  }
  expect('connect')
  one.stop = watched.enter(one)
  clock ??= setInterval(look, tickMs).unref()

  return {
    onConnected: (request) => expect(request === 'sent' ? 'responseHeaders' : 'idle'),
    onSent: () => expect('responseHeaders'),
    onBytes() {
      one.isActive = true
    },
    onAnswered: () => expect('idle'),
    stop: () => one.stop(),
  }
}

/**
 * The time for everything: all attempts and the whole response.
 * @returns what stops it
 */
export function startDeadline(timeouts: Timeouts, onExpired: (refusal: Refusal) => void): () => void {
  if (timeouts.total === 0) return () => {}
  const timer = setTimeout(() => onExpired(timeoutRefusal('total', timeouts)), timeouts.total * 1000)
  return () => clearTimeout(timer)
}
