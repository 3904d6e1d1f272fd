import { Refusal } from '../refusal.js'
import type { ProvisionedFrontend } from '../request.js'
import { destroySession, type EndpointContext } from '../session/koa-session.js'
import type { OpenSession } from '../session/session-record.js'
import { endpointPaths } from './endpoint-paths.js'

/** `GET P/sessions`: where this user is logged in with this frontend. */
export async function listSessions(ctx: EndpointContext): Promise<void> {
  const { frontend } = ctx.state.call
  const { key: currentKey, subject, keys } = await sessionsOfUser(frontend, ctx.state.open)
  const listed = await Promise.all(
    keys.map(async (key) => {
      const activity = await frontend.sessions.activityOf(key, subject)
      if (activity === undefined) return []
      const { createdAt, lastSeen, address, userAgent } = activity
      return [
        {
          handle: frontend.sessions.handleOf(key),
          isCurrent: key === currentKey,
          createdAt: new Date(createdAt * 1000).toISOString(),
          lastSeenAt: new Date(lastSeen * 1000).toISOString(),
          address,
          userAgent,
        },
      ]
    }),
  )
  ctx.body = { sessions: listed.flat().sort((a, b) => b.lastSeenAt.localeCompare(a.lastSeenAt)) }
}

/** `DELETE P/sessions/{handle}`: ends one of them, perhaps this one. */
export async function endSessionByHandle(ctx: EndpointContext): Promise<void> {
  const { frontend, requestId } = ctx.state.call
  const { keys, key: currentKey } = await sessionsOfUser(frontend, ctx.state.open)
  const handle = ctx.state.call.target.path.slice(`${frontend.base}${endpointPaths.sessions}/`.length)
  const key = keys.find((candidate) => frontend.sessions.hasHandle(candidate, handle))
  if (key === undefined) throw new Refusal('bff.endpoint.unknown', 'none of your sessions has this handle')
  if (key === currentKey) await destroySession(ctx, 'revoked')
  else await frontend.sessions.end({ key }, 'revoked', requestId)
  ctx.status = 204
}

/** `DELETE P/sessions`: ends all of them but this one. */
export async function endOtherSessions(ctx: EndpointContext): Promise<void> {
  const { frontend, requestId } = ctx.state.call
  const { keys, key: currentKey } = await sessionsOfUser(frontend, ctx.state.open)
  const others = keys.filter((key) => key !== currentKey)
  await Promise.all(others.map((key) => frontend.sessions.end({ key }, 'revoked', requestId)))
  ctx.status = 204
}

async function sessionsOfUser(frontend: ProvisionedFrontend, open: OpenSession | undefined) {
  if (open === undefined) throw new Refusal('bff.session.absent', 'log in first')
  const { key, record } = open.session
  if (record.subject === undefined) return { key, subject: '', keys: [] }
  // A user of one server is none of another, whatever they are called.
  const { options, sessions } = frontend.authorities?.of(record) ?? frontend
  return {
    key,
    subject: record.subject,
    keys: await sessions.ownKeysOf({ subject: record.subject, of: options }),
  }
}
