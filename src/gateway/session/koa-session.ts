import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type Koa from 'koa'
import { createSession } from 'koa-session'
import { cookieValue, isSecureCookie, leaveCookie, setCookie } from '../../http/cookie.js'
import type { SessionEndCause } from '../../telemetry/gateway-events.js'
import { noteSession } from '../../telemetry/request-origin.js'
import type { Limits } from '../endpoints/limits.js'
import type { Frontend } from '../frontend/frontend.js'
import type { GatewayRequest, ProvisionedFrontend } from '../request.js'
import type { OpenSession, SessionRecord } from './session-record.js'

/** What the gateway's own endpoints find in `ctx.state`. */
export interface EndpointState {
  call: GatewayRequest
  open: OpenSession | undefined
  endCause: SessionEndCause
  now: () => number
  limits: Limits
}

export type EndpointContext = Koa.ParameterizedContext<EndpointState>

/** 32 random bytes. */
const identifier = /^[A-Za-z0-9_-]{43}$/

export function newSessionIdentifier(): string {
  return randomBytes(32).toString('base64url')
}

/** The session identifier a request carries, if it is one that we could have made. */
export function sessionIdentifier(cookieHeader: string | undefined, frontend: Frontend): string | undefined {
  const value = cookieValue(cookieHeader, frontend.sessionCookie)
  return value !== undefined && identifier.test(value) ? value : undefined
}

/**
 * koa-session, for the endpoints where sessions are made and end: the identifier, its cookie and `regenerate()`. It never
 * commits by itself and never sees a token but on the way into the sealed store; the other requests only open sessions.
 */
export function koaSession(app: Koa<EndpointState>): Koa.Middleware<EndpointState> {
  const session = createSession(
    {
      autoCommit: false,
      // 256 random bits need no signature.
      signed: false,
      secure: true,
      httpOnly: true,
      sameSite: 'strict',
      genid: newSessionIdentifier,
      externalKey: {
        get: (ctx: EndpointContext) => sessionIdentifier(ctx.req.headers.cookie, ctx.state.call.frontend) ?? '',
        set(ctx: EndpointContext, id: string) {
          const { open, call } = ctx.state
          if (open === undefined || open.id !== id)
            throw new TypeError('a session cookie is set for a session that was not begun')
          setSessionCookie(ctx.res, call.frontend, open)
        },
      },
      store: {
        async get(id: string, _maxAge: unknown, options: StoreCall) {
          const ctx = contextOf(options)
          const found = await ctx.state.call.frontend.sessions.open(id)
          if (found === undefined) return undefined
          ctx.state.open = { id, session: found }
          noteSession(ctx.state.call.requestId, found)
          return { handle: found.handle }
        },
        async set(id: string, { record }: { record?: SessionRecord }, _maxAge: unknown, options: StoreCall) {
          const ctx = contextOf(options)
          // Only `regenerate()` comes here. koa-session would also write over a session that has ended meanwhile.
          if (record === undefined) throw new TypeError('a session is written at login only')
          ctx.state.open = { id, session: await ctx.state.call.frontend.sessions.start(id, record) }
        },
        async destroy(id: string, options: StoreCall) {
          const ctx = contextOf(options)
          const { call, open, endCause } = ctx.state
          ctx.state.open = undefined
          const { sessions } = call.frontend
          // At a login only once the new session is there: `regenerateSession`.
          if (open?.id === id && endCause !== 'login') await sessions.end(open.session, endCause, call.requestId)
        },
      },
    },
    app,
  )
  return async function sessionOfThisFrontend(ctx, next) {
    const { sessionCookie, cookieReach } = ctx.state.call.frontend
    // Whether a cookie is Secure depends on the public origin, not on what the last hop speaks.
    ctx.cookies.secure = true
    ctx.sessionOptions.key = sessionCookie
    Object.assign(ctx.sessionOptions, cookieReach.session, { secure: isSecureCookie(sessionCookie) })
    await session(ctx, next)
  }
}

/** How koa-session tells its store which request it is about. */
interface StoreCall {
  readonly ctx?: EndpointContext
}

function contextOf({ ctx }: StoreCall): EndpointContext {
  if (ctx === undefined) throw new TypeError('koa-session asks for a session outside a request')
  return ctx
}

/** A new session under a new identifier. What this browser had before ends when it is there, and stays when it cannot be. */
export async function regenerateSession(ctx: EndpointContext, record: SessionRecord): Promise<void> {
  const { open: former, call } = ctx.state
  ctx.state.endCause = 'login'
  ctx.session.record = record
  try {
    await ctx.session.regenerate()
  } catch (error) {
    // koa-session has taken the cookie of the former one away by now.
    leaveCookie(ctx.res, call.frontend.sessionCookie)
    ctx.state.open = former
    throw error
  }
  if (former !== undefined) await call.frontend.sessions.end(former.session, 'login', call.requestId)
}

/** Ends the session and takes its cookie away. */
export async function destroySession(ctx: EndpointContext, cause: SessionEndCause): Promise<void> {
  ctx.state.endCause = cause
  const session = ctx.session
  ctx.session = null
  await session.manuallyCommit()
}

export function setSessionCookie(
  response: ServerResponse,
  frontend: ProvisionedFrontend,
  { id, session }: OpenSession,
): void {
  const { sessionCookie, cookieReach, sessions } = frontend
  setCookie(response, sessionCookie, id, { ...cookieReach.session, maxAge: sessions.keptFor(session) })
}
