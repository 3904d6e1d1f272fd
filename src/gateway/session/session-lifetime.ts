import type { SessionLifetimes } from '../options.js'
import type { SessionRecord } from './session-record.js'

/**
 * When a session ends whatever is done with it, in seconds since the epoch: the first of the frontend's own limits, the
 * server's `session_expiry`, and the end of what it could be renewed with.
 */
export function endsAt(
  { createdAt, sessionExpiry, refreshToken, refreshTokenExpiresAt, accessTokens }: SessionRecord,
  { idle, absolute, sliding }: Pick<SessionLifetimes, 'idle' | 'absolute' | 'sliding'>,
): number {
  return Math.min(
    createdAt + absolute,
    sliding ? Number.POSITIVE_INFINITY : createdAt + idle,
    sessionExpiry ?? Number.POSITIVE_INFINITY,
    refreshTokenExpiresAt ?? Number.POSITIVE_INFINITY,
    // Nothing can be done with a session whose only token is over.
    (refreshToken === undefined && accessTokens['']?.expiresAt) || Number.POSITIVE_INFINITY,
  )
}
