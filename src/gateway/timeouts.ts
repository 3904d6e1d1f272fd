import type { ClientRequest } from 'node:http'
import type { TimeoutOptions } from './options.js'
import { Refusal } from './refusal.js'

/** Seconds, complete. */
export type Timeouts = Required<TimeoutOptions>

export function timeoutsOf({
  connect = 5,
  responseHeaders = 60,
  idle = 300,
  total = 0,
}: TimeoutOptions = {}): Timeouts {
  return { connect, responseHeaders, idle, total }
}

export type TimeoutName = keyof Timeouts

export function timeoutRefusal(name: TimeoutName, timeouts: Timeouts): Refusal {
  const what = {
    connect: 'no connection to the upstream',
    responseHeaders: 'no answer from the upstream',
    idle: 'no byte in either direction',
    total: 'not finished',
  }[name]
  return new Refusal('bff.upstream.timeout', `${what} within ${timeouts[name]} s (timeout ${name})`)
}

/** One attempt, watched until its response begins. */
export interface Watch {
  /** Whether there has been a connection, so that something may have been sent. */
  readonly connected: boolean
  stop(): void
}

interface Watched {
  readonly attempt: ClientRequest
  readonly timeouts: Timeouts
  connected: boolean
  /** What has run out at `until` (milliseconds of the monotonic clock). */
  name: TimeoutName
  until: number
}

/**
 * All attempts that wait for something, looked at twenty times a second. A timer for each would cost more than it looks:
 * timers outlive their requests in the garbage collector's eyes, and take them along.
 */
const watched = new Set<Watched>()
let clock: NodeJS.Timeout | undefined
const tickMs = 50

function look(): void {
  const now = performance.now()
  for (const one of watched) {
    if (one.until > now) continue
    watched.delete(one)
    one.attempt.destroy(timeoutRefusal(one.name, one.timeouts))
  }
  if (watched.size > 0) return
  clearInterval(clock)
  clock = undefined
}

function watch(one: Watched, name: TimeoutName): void {
  one.name = name
  one.until = performance.now() + one.timeouts[name] * 1000
  watched.add(one)
  clock ??= setInterval(look, tickMs).unref()
}

/**
 * First the connection has its time, then, once all is sent, the head of the response. Being idle is watched by the socket
 * itself, for as long as the attempt has it.
 */
export function watchAttempt(attempt: ClientRequest, timeouts: Timeouts, secure: boolean, hasBody: boolean): Watch {
  const one: Watched = { attempt, timeouts, connected: attempt.reusedSocket, name: 'connect', until: 0 }
  attempt.on('timeout', () => attempt.destroy(timeoutRefusal('idle', timeouts)))
  let awaitResponse: (() => void) | undefined
  if (hasBody) {
    awaitResponse = () => watch(one, 'responseHeaders')
    attempt.once('finish', awaitResponse)
  }
  const onConnected = (): void => {
    one.connected = true
    if (hasBody) watched.delete(one)
    else watch(one, 'responseHeaders')
  }
  if (one.connected) {
    onConnected()
  } else {
    watch(one, 'connect')
    attempt.once('socket', (socket) => {
      if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', onConnected)
      else onConnected()
    })
  }
  return {
    get connected() {
      return one.connected
    },
    stop() {
      watched.delete(one)
      if (awaitResponse) attempt.off('finish', awaitResponse)
    },
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
