import { clientInfoOf } from '../request.js'
import { type EndpointContext, newSessionIdentifier, regenerateSession } from '../session/koa-session.js'
import type { OpenSession, SessionRecord } from '../session/session-record.js'
import type { LoginTransaction } from './login-transaction.js'

/**
 * The session of a login that has succeeded: this browser's or, where a frame has opened this window, the frame's, which the
 * browser keeps apart from this window.
 */
export async function beginSession(
  ctx: EndpointContext,
  record: SessionRecord,
  { formerSession: former, popup }: Pick<LoginTransaction, 'formerSession' | 'popup'>,
): Promise<OpenSession> {
  const { sessions, sessionsPerUser, oauth, popupLogins } = ctx.state.call.frontend
  const begin = async (): Promise<OpenSession> => {
    const open = popup === undefined ? await ofThisBrowser(ctx, record) : await ofTheFrame(ctx, record)
    // When the cookie does not come along from the other site.
    if (former !== undefined) await sessions.end({ key: former }, 'login', ctx.state.call.requestId)
    // So that the list of the user's sessions has it before its first call.
    await sessions.keepAlive(open.id, open.session, () => clientInfoOf(ctx.state.call))
    if (popup !== undefined) await popupLogins?.handOver(popup, open.id)
    return open
  }
  if (sessionsPerUser === undefined) return begin()
  const replaced = [former, popup === undefined ? ctx.state.open?.session.key : undefined]
  return sessionsPerUser.admit(record, replaced, begin).catch(async (error: unknown) => {
    // What was just issued has no session to belong to.
    const { refreshToken, proofKey } = record
    const asking = oauth.forRequest(ctx.state.call.requestId)
    if (refreshToken !== undefined) await asking.revoke(refreshToken, 'refresh_token', proofKey).catch(() => undefined)
    throw error
  })
}

async function ofThisBrowser(ctx: EndpointContext, record: SessionRecord): Promise<OpenSession> {
  await regenerateSession(ctx, record)
  const { open } = ctx.state
  if (open === undefined) throw new TypeError('a session was begun and is not there')
  return open
}

/** The window's own session, if it has one, is another application's business. */
async function ofTheFrame(ctx: EndpointContext, record: SessionRecord): Promise<OpenSession> {
  const id = newSessionIdentifier()
  return { id, session: await ctx.state.call.frontend.sessions.start(id, record) }
}
