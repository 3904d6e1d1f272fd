import { setTimeout as delay } from 'node:timers/promises'
import { connectionCode } from '../errors.js'
import type { Losses } from './losses.js'
import { endpointConnections, postRecords, type RecordsEndpoint } from './post-records.js'

/** Where batches of records are posted, and with how much patience. */
export interface EndpointOptions extends RecordsEndpoint {
  /** Records that wait at most; more are lost, and counted. Default: 10,000. */
  readonly capacity?: number
  /** Records in one request at most. Default: 500. */
  readonly batch?: number
  /** Seconds for which records are gathered. Default: 1. */
  readonly gathering?: number
  /** Seconds for one request. Default: 10. */
  readonly timeout?: number
  /** Seconds before each further try, the last one again and again. Default: 1, 2, 4, 8, 16, 32, 60. */
  readonly pauses?: readonly number[]
}

/** A queue that empties by itself. Never throws, and no request waits for it. */
export interface EndpointDestination {
  write(line: string): void
  /** Sends what waits, for as long as this takes at most. What is left then is lost, and counted. @param seconds */
  close(seconds: number): Promise<void>
}

/** The record is at fault, not the moment: sending it again would hold up all behind it. */
const unacceptable = [400, 413, 415, 422]

export function createEndpointDestination(
  {
    url,
    token,
    capacity = 10_000,
    batch = 500,
    gathering = 1,
    timeout = 10,
    pauses = [1, 2, 4, 8, 16, 32, 60],
  }: EndpointOptions,
  { lost, failed, works }: Losses,
): EndpointDestination {
  const dispatcher = endpointConnections(timeout)
  const closing = new AbortController()
  const overdue = new AbortController()
  let waiting: string[] = []
  let sending: Promise<void> | undefined

  const post = async (lines: readonly string[]): Promise<'taken' | 'unacceptable' | 'failed'> => {
    try {
      const signal = AbortSignal.any([AbortSignal.timeout(timeout * 1000), overdue.signal])
      const statusCode = await postRecords({ url, token }, lines.join(''), { dispatcher, signal })
      if (statusCode >= 200 && statusCode < 300) return 'taken'
      failed(`status ${statusCode}`)
      return unacceptable.includes(statusCode) ? 'unacceptable' : 'failed'
    } catch (error) {
      failed(connectionCode(error) ?? (error instanceof Error ? error.name : 'unknown'))
      return 'failed'
    }
  }
  const pause = (seconds: number): Promise<void> =>
    delay(seconds * 1000, undefined, { ref: false, signal: closing.signal }).catch(() => undefined)

  const sendAll = async (): Promise<void> => {
    await pause(gathering)
    for (let failures = 0; waiting.length > 0 && !overdue.signal.aborted; ) {
      const lines = waiting.slice(0, batch)
      const outcome = await post(lines)
      if (outcome === 'failed') {
        // At the end there is one more try, and no more.
        if (closing.signal.aborted && failures > 0) return
        await pause(pauses[Math.min(failures, pauses.length - 1)] ?? 60)
        failures += 1
        continue
      }
      waiting = waiting.slice(lines.length)
      failures = 0
      if (outcome === 'unacceptable') lost(lines.length, 'unacceptable')
      else works()
    }
  }
  const begin = (): void => {
    sending ??= sendAll().finally(() => {
      sending = undefined
      if (waiting.length > 0 && !closing.signal.aborted) begin()
    })
  }

  return {
    write(line) {
      if (closing.signal.aborted || waiting.length >= capacity) return lost(1, 'queue full')
      waiting.push(line)
      begin()
    },
    async close(seconds) {
      closing.abort()
      const timer = setTimeout(() => overdue.abort(), seconds * 1000)
      await sending
      clearTimeout(timer)
      if (waiting.length > 0) lost(waiting.length, 'stopped')
      waiting = []
      await dispatcher.destroy()
    },
  }
}
