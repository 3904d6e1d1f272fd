import type Koa from 'koa'
import { publish } from '../../telemetry/events.js'
import type { BackchannelLogout } from './backchannel-logout.js'
import type { SignInSession, SignInSessions } from './sign-in-session.js'

/** Ends the browser's session and tells every client that took part in it. */
export type SessionEnd = (ctx: Koa.Context) => Promise<SignInSession | undefined>

export function createSessionEnd(sessions: SignInSessions, backchannelLogout: BackchannelLogout): SessionEnd {
  return async (ctx) => {
    const session = await sessions.end(ctx)
    if (session === undefined) return undefined
    const { requestId } = ctx.state
    publish({ type: 'as.session.ended', requestId, subject: session.subject, sid: session.sid })
    await backchannelLogout.notify(session, requestId)
    return session
  }
}
