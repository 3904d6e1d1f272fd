import type { EndpointContext } from '../session/koa-session.js'
import { tokenClaims } from '../session/session-claims.js'
import { sessionIsOfUse } from './login-loop.js'

/** `GET P/user`: who is logged in, as far as the page may know. Always 200. `?slide=false` leaves the idle time alone. */
export async function user(ctx: EndpointContext): Promise<void> {
  const { call, open } = ctx.state
  const { frontend } = call
  if (open === undefined) {
    ctx.body = { authenticated: false }
    return
  }
  const { session } = open
  const { claims, accessTokens } = session.record
  // Not before the token serves as it is: a refresh that fails would send the browser round again.
  const { expiresAt = Number.POSITIVE_INFINITY } = accessTokens[''] ?? { expiresAt: 0 }
  if (ctx.state.now() < expiresAt - frontend.options.session.refreshGracePeriod) sessionIsOfUse(call, ctx.res)
  const visible = frontend.options.userClaims ?? Object.keys(claims).filter((name) => !tokenClaims.has(name))
  ctx.body = {
    ...Object.fromEntries(visible.filter((name) => name in claims).map((name) => [name, claims[name]])),
    authenticated: true,
    sessionExpiresAt: new Date((await frontend.sessions.idleEnd(session)) * 1000).toISOString(),
    logoutUrl: `${frontend.logoutUrl}?sid=${session.handle}`,
  }
}
