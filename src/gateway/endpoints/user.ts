import type { EndpointContext } from '../session/koa-session.js'
import { sessionIsOfUse } from './login-loop.js'

/** Of the token, not of the user (OpenID Connect Core §2, RFC 7519 §4.1). */
const aboutTheToken = new Set([
  'iss',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'nonce',
  'azp',
  'at_hash',
  'c_hash',
  's_hash',
  'sid',
  'session_expiry',
])

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
  const visible = frontend.options.userClaims ?? Object.keys(claims).filter((name) => !aboutTheToken.has(name))
  ctx.body = {
    ...Object.fromEntries(visible.filter((name) => name in claims).map((name) => [name, claims[name]])),
    authenticated: true,
    sessionExpiresAt: new Date((await frontend.sessions.idleEnd(session)) * 1000).toISOString(),
    logoutUrl: `${frontend.logoutUrl}?sid=${session.handle}`,
  }
}
