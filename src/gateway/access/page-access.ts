import { inSpan } from '../../telemetry/spans.js'
import { Refusal } from '../refusal.js'
import type { GatewayRequest } from '../request.js'
import { sessionIdentifier } from '../session/koa-session.js'
import type { OpenSession } from '../session/session-record.js'
import type { Access } from './access.js'

/**
 * For pages that anyone may open: a session that is there has to be one that the rules let in.
 * @throws Refusal `bff.access.denied`
 */
export async function assertPageAccess({ request, frontend }: GatewayRequest, access: Access): Promise<void> {
  const id = sessionIdentifier(request.headers.cookie, frontend)
  const session = id === undefined ? undefined : await frontend.sessions.open(id)
  if (id === undefined || session === undefined) return
  const current = await inSpan(request, 'access token', (trace) =>
    frontend.tokens.current({ id, session }, trace),
  ).catch(noneAnyMore)
  if (current !== undefined) access(current.session)
}

function noneAnyMore(error: unknown): OpenSession | undefined {
  if (error instanceof Refusal && error.code === 'bff.session.ended') return undefined
  throw error
}
