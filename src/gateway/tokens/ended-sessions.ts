import { setTimeout as delay } from 'node:timers/promises'
import { UpstreamError } from '../../errors.js'
import { createFairQueue } from '../../http/limits/fair-queue.js'
import type { EndedSession } from '../session/session-store.js'
import { type RevokingFrontend, revokeToken, tellNotRevoked } from './token-revocation.js'

/** Revokes what sessions leave behind that were ended without their browser. */
export interface EndedSessions {
  /** Returns at once: no logout waits for the authorization server. @param session its handle */
  revoke(session: string, left: NonNullable<EndedSession['left']>): void
  /** What waits for its second try is tried now. Resolves when none is under way. */
  settled(): Promise<void>
}

/** An administrator may end thousands: the authorization server has others to serve, and this process a memory. */
const limits = { concurrency: 8, maxWaiting: 10_000 }

export interface EndedSessionsOptions {
  readonly frontend: RevokingFrontend
  /** Seconds until the second and last try, when the server did not answer. Default: 30. */
  readonly retryAfter?: number
}

export function createEndedSessions({ frontend, retryAfter = 30 }: EndedSessionsOptions): EndedSessions {
  const queue = createFairQueue(limits)
  const underway = new Set<Promise<void>>()
  const hurry = new AbortController()
  let waiting = 0

  const begin = async (session: string, left: NonNullable<EndedSession['left']>): Promise<void> => {
    const give = (reason: unknown): void => tellNotRevoked(frontend, session, 'refresh_token', reason)
    if (left === 'unreadable') return give('unknown_sealing_key')
    const token = { value: left.refreshToken, kind: 'refresh_token', proofKey: left.proofKey } as const
    const attempt = async (): Promise<void> => {
      const turn = await queue.run('', () => revokeToken(frontend, session, token))
      if (turn.kind === 'full') give('too_many_at_once')
      else if (!turn.result) give('no_revocation_endpoint')
    }
    try {
      await attempt()
    } catch (error) {
      if (!(error instanceof UpstreamError) || waiting >= limits.maxWaiting) return give(error)
      waiting += 1
      await delay(retryAfter * 1000, undefined, { signal: hurry.signal, ref: false }).catch(() => undefined)
      waiting -= 1
      await attempt().catch(give)
    }
  }

  return {
    revoke(session, left) {
      const done = begin(session, left).finally(() => underway.delete(done))
      underway.add(done)
    },
    async settled() {
      hurry.abort()
      while (underway.size > 0) await Promise.all(underway)
    },
  }
}
