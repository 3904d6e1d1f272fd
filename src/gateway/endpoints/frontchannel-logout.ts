import { searchParameters } from '../../http/form-body.js'
import { policySource } from '../../http/policy-source.js'
import { Refusal } from '../refusal.js'
import type { ProvisionedFrontend } from '../request.js'
import { destroySession, type EndpointContext } from '../session/koa-session.js'
import type { SessionRecord } from '../session/session-record.js'
import { once } from './login-parameters.js'

/** Characters of a `sid` that holds 128 random bits, base64url: shorter ones may be guessed. */
const leastUnguessable = 22

/**
 * `GET P/frontchannel-logout?iss=&sid=`: a frame of the authorization server's sign-out page. The session that the cookie shows
 * ends where it is the one that is meant. Most browsers send no cookie from there: then `sid` alone decides, which only the
 * server and we know.
 * @see {@link https://openid.net/specs/openid-connect-frontchannel-1_0.html#section-2 OpenID Connect Front-Channel Logout 1.0 §2}
 */
export async function frontchannelLogout(ctx: EndpointContext): Promise<void> {
  const { call, open } = ctx.state
  const query = searchParameters(call.target.query)
  const [issuer, sid] = [once(query, 'iss'), once(query, 'sid')]
  if (issuer === undefined || sid === undefined) refuse('the frame names no "iss", or no "sid"')
  const servers = serversOf(call.frontend).filter(({ options }) => options.authority === issuer)
  if (servers.length === 0) refuse('the frame is of no authorization server of this frontend')

  if (open !== undefined && isMeant(call.frontend, open.session.record, { issuer, sid }))
    await destroySession(ctx, 'frontchannel-logout')
  else if (sid.length >= leastUnguessable) {
    const { sessions } = call.frontend
    for (const { options } of servers)
      for (const key of await sessions.keysOf({ sid, of: options }))
        await sessions.end({ key }, 'frontchannel-logout', call.requestId)
  }
  // The same whether there was a session or not.
  framedAnswer(ctx, issuer)
}

function serversOf(frontend: ProvisionedFrontend): readonly ProvisionedFrontend[] {
  return frontend.authorities?.all ?? [frontend]
}

function isMeant(
  frontend: ProvisionedFrontend,
  record: SessionRecord,
  { issuer, sid }: { readonly issuer: string; readonly sid: string },
): boolean {
  const { options } = frontend.authorities?.of(record) ?? frontend
  return options.authority === issuer && record.sid === sid
}

/** Empty. The server's page may hold it, also where that lets in only what says that it may be let in (CORP, COEP). */
function framedAnswer(ctx: EndpointContext, issuer: string): void {
  ctx.set({
    'Content-Security-Policy': `default-src 'none'; frame-ancestors ${policySource(new URL(issuer))}`,
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  })
  ctx.type = 'text/html'
  ctx.body = ''
  ctx.status = 200
}

function refuse(detail: string): never {
  throw new Refusal('bff.logout.token_refused', detail)
}
