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

/**
 * First the connection has its time, then, once all is sent, the head of the response. Being idle is watched by the socket
 * itself, for as long as the attempt has it.
 */
export function watchAttempt(attempt: ClientRequest, timeouts: Timeouts, secure: boolean, hasBody: boolean): Watch {
  const expire = (name: TimeoutName): void => void attempt.destroy(timeoutRefusal(name, timeouts))
  let connected = attempt.reusedSocket
  let timer: NodeJS.Timeout | undefined
  const awaitResponse = (): void => {
    clearTimeout(timer)
    timer = setTimeout(expire, timeouts.responseHeaders * 1000, 'responseHeaders')
  }
  const onConnected = (): void => {
    connected = true
    clearTimeout(timer)
    if (!hasBody) awaitResponse()
  }
  attempt.on('timeout', () => expire('idle'))
  if (hasBody) attempt.once('finish', awaitResponse)
  if (connected) {
    if (!hasBody) awaitResponse()
  } else {
    timer = setTimeout(expire, timeouts.connect * 1000, 'connect')
    attempt.once('socket', (socket) => {
      if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', onConnected)
      else onConnected()
    })
  }
  return {
    get connected() {
      return connected
    },
    stop() {
      clearTimeout(timer)
      attempt.off('finish', awaitResponse)
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
