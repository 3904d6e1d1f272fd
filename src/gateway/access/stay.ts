import { UpstreamError } from '../../errors.js'
import type { ProvisionedFrontend } from '../request.js'
import { gracePeriod } from '../session/session-claims.js'
import type { OpenSession } from '../session/session-record.js'
import type { Guard } from '../session/session-watch.js'
import type { Access } from './access.js'

/**
 * For streams and sockets, which ask once and stay open: they are asked again while they are, with claims as current as those
 * of a call. The refresh that this takes is no use of the session.
 */
export function guardOf(
  { sessions, tokens, now }: Pick<ProvisionedFrontend, 'sessions' | 'tokens' | 'now'>,
  { id }: OpenSession,
  mayIn: Access,
): Guard {
  return {
    mayIn,
    async current() {
      const session = await sessions.open(id)
      if (session === undefined) return undefined
      try {
        return (await tokens.current({ id, session })).session
      } catch (error) {
        // While the server cannot be asked what it said last counts, and no longer than with userinfo alone.
        const { expiresAt = now() } = session.record.accessTokens[''] ?? {}
        if (error instanceof UpstreamError && now() < expiresAt + gracePeriod) return session
        throw error
      }
    },
  }
}
