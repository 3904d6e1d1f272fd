import type { ServerResponse } from 'node:http'
import { Refusal } from '../refusal.js'
import { clientInfoOf, type GatewayRequest } from '../request.js'
import type { Extension } from './idle-time.js'
import { setSessionCookie } from './koa-session.js'
import type { OpenSession } from './session-record.js'

/**
 * A call has come: the idle time starts anew, and the browser keeps its cookie as long. Before the response begins, and
 * never for a session that has ended meanwhile. At once when there is nothing to write.
 * @param response Undefined for an upgrade, which cannot set cookies.
 */
export function keepSession(
  call: GatewayRequest,
  open: OpenSession,
  response: ServerResponse | undefined,
): Promise<void> | undefined {
  const settle = (kept: Extension): void => {
    if (kept === 'gone') throw new Refusal('bff.session.ended', 'the session has ended; log in again')
    if (kept === 'extended' && response !== undefined) setSessionCookie(response, call.frontend, open)
  }
  const kept = call.frontend.sessions.keepAlive(open.id, open.session, () => clientInfoOf(call))
  if (kept instanceof Promise) return kept.then(settle)
  settle(kept)
  return undefined
}
