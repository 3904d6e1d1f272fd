import { searchParameters } from '../../http/form-body.js'
import { frontendDefaults } from '../defaults.js'
import { assertMeant } from '../frontend/anti-forgery.js'
import { pageUrl } from '../frontend/frontend.js'
import { Refusal } from '../refusal.js'
import type { ProvisionedFrontend } from '../request.js'
import { destroySession, type EndpointContext } from '../session/koa-session.js'
import type { Session } from '../session/session-record.js'
import { type LeftToken, type RevokingFrontend, revokeToken, tellNotRevoked } from '../tokens/token-revocation.js'
import { forgetLogins } from './login-loop.js'

/** Seconds for which a logout waits for the authorization server: the session is over already, and tokens end too. */
const patience = 3
/** Characters of an ID token that may still go into a URL. */
const maxIdTokenHint = 4096

const foreignLink = {
  code: 'bff.logout.confirm',
  detail: 'A page of another site has sent you here to sign out.',
} as const

/** `GET P/logout?sid=`: the `logoutUrl` of `P/user`. Without its `sid` it could be anybody's link. */
export async function logoutByLink(ctx: EndpointContext): Promise<void> {
  const { call, open } = ctx.state
  assertMeant(call, foreignLink)
  const sid = searchParameters(call.target.query).get('sid')
  if (open !== undefined && (sid === null || !call.frontend.sessions.hasHandle(open.session.key, sid)))
    throw new Refusal('bff.logout.sid_mismatch', 'take the logoutUrl of the user endpoint')
  const url = await endSession(ctx)
  ctx.status = 303
  ctx.set('Location', url)
}

/** `POST P/logout`: the same for scripts, which then send the browser to `redirectTo`. */
export async function logoutByCall(ctx: EndpointContext): Promise<void> {
  ctx.body = { redirectTo: await endSession(ctx) }
}

/** Forgets first: whatever the authorization server does or does not do, this session is over. */
async function endSession(ctx: EndpointContext): Promise<string> {
  const { call, open } = ctx.state
  const frontend = (open && call.frontend.authorities?.of(open.session.record)) ?? call.frontend
  const { options } = frontend
  const path = pageUrl(options, options.postLogoutRedirectPath)
  // Without a session there is nothing to end: a login under way, and cookies that did not come along, stay.
  if (open === undefined) return path
  await destroySession(ctx, 'logout')
  frontend.transactions.forget(ctx.req.headers.cookie, ctx.res)
  forgetLogins(call, ctx.res)
  const asking = { ...frontend, oauth: frontend.oauth.forRequest(call.requestId) }
  const [, url] = await Promise.all([
    withPatience(revoke(asking, call.requestId, open.session)),
    withPatience(endSessionUrl(asking, open.session)),
  ])
  return url ?? path
}

/** Undefined when the answer does not come in time, or is an error. */
async function withPatience<Result>(answer: Promise<Result>): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined
  const enough = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patience * 1000, undefined)
  })
  return Promise.race([answer.catch(() => undefined), enough]).finally(() => clearTimeout(timer))
}

async function revoke(frontend: RevokingFrontend, requestId: string, { record, handle }: Session): Promise<void> {
  const { refreshToken, accessTokens, proofKey } = record
  const revoked = async (value: string, kind: LeftToken['kind']): Promise<void> => {
    await revokeToken(frontend, handle, { value, kind, proofKey }, requestId).catch((error: unknown) =>
      tellNotRevoked(frontend, handle, kind, error, requestId),
    )
  }
  await Promise.all([
    ...(refreshToken === undefined ? [] : [revoked(refreshToken, 'refresh_token')]),
    ...Object.values(accessTokens).map(({ value }) => revoked(value, 'access_token')),
  ])
}

/** Undefined when the authorization server has no end-session endpoint. */
async function endSessionUrl(
  { oauth, options, origin }: ProvisionedFrontend,
  { record }: Session,
): Promise<string | undefined> {
  const { idToken, sid } = record
  const returnTo = pageUrl(options, options.postLogoutRedirectPath)
  const hint =
    (options.idTokenHint ?? frontendDefaults.idTokenHint) && idToken !== undefined && idToken.length <= maxIdTokenHint
  const url = await oauth.endSessionUrl({
    post_logout_redirect_uri: new URL(returnTo, origin).href,
    ...(hint && { id_token_hint: idToken }),
    ...(!hint && sid !== undefined && { logout_hint: sid }),
  })
  return url?.href
}
