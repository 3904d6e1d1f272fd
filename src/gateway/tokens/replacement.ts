import { createWindowedCounts } from '../../http/limits/windowed-counts.js'
import type { Trace } from '../../telemetry/trace.js'
import { Refusal } from '../refusal.js'
import type { AccessToken, OpenSession, Session, SessionRecord } from '../session/session-record.js'
import type { SessionStore } from '../session/session-store.js'
import { renewalPause } from './client-credentials.js'
import type { Refresh } from './refresh.js'
import type { KeyedAudience } from './token-audience.js'

export interface ReplacementOptions {
  readonly sessions: Pick<SessionStore, 'open'>
  readonly refresh: Refresh
  readonly freshTokenOf: (record: SessionRecord, tokenKey: string) => AccessToken | undefined
  readonly now: () => number
}

export interface Replaced {
  readonly session: Session
  readonly token: AccessToken
}

/**
 * A user's token in place of one that an API has refused. Calls that had the same token refused get the same one instead;
 * a token that is refused as well brings no other for a minute.
 * @throws Refusal `bff.session.ended`
 */
export function createReplacement({ sessions, refresh, freshTokenOf, now }: ReplacementOptions) {
  const renewals = createWindowedCounts({ window: renewalPause, now })
  const underway = new Map<string, Promise<Replaced | undefined>>()

  const otherOf = (session: Session, tokenKey: string, refused: string): Replaced | undefined => {
    const token = freshTokenOf(session.record, tokenKey)
    return token === undefined || token.value === refused ? undefined : { session, token }
  }
  const replaced = async (
    refused: string,
    open: OpenSession,
    audience: KeyedAudience,
    key: string,
    trace: Trace | undefined,
  ): Promise<Replaced | undefined> => {
    const latest = await sessions.open(open.id)
    if (latest === undefined) throw new Refusal('bff.session.ended', 'the session has ended; log in again')
    const other = otherOf(latest, audience.tokenKey, refused)
    if (other !== undefined || renewals.wait(key, 1) > 0) return other
    renewals.add(key)
    const { session } = await refresh({ id: open.id, session: latest }, audience, { refused, trace })
    return otherOf(session, audience.tokenKey, refused)
  }

  return async (
    refused: string,
    open: OpenSession,
    audience: KeyedAudience,
    trace: Trace | undefined,
  ): Promise<Replaced | undefined> => {
    const key = `${open.session.key} ${audience.tokenKey}`
    const of = `${key} ${refused}`
    const joined = underway.get(of) ?? replaced(refused, open, audience, key, trace).finally(() => underway.delete(of))
    underway.set(of, joined)
    return joined.catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'bff.session.ended') throw error
      // Told already, where the refresh has failed. The API's refusal is the better answer.
      return undefined
    })
  }
}
