import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose'
import { readFormBody } from '../../http/form-body.js'
import { widestNetworkOf } from '../../http/limits/networks.js'
import type { Store } from '../../store/store.js'
import type { Authorities } from '../authorities/authorities.js'
import { acceptedAlgorithms } from '../oauth/accepted-algorithms.js'
import { isKeySetOutOfReach, LookedTooOften } from '../oauth/issuer-keys.js'
import { printable } from '../oauth/server-words.js'
import { Refusal } from '../refusal.js'
import type { LogoutTokenSender, ProvisionedFrontend } from '../request.js'
import type { EndpointContext } from '../session/koa-session.js'

/** @throws Refusal `bff.logout.token_refused`, or `bff.issuer.unavailable` when its key cannot be known */
export type VerifyLogoutToken = (token: string, from: LogoutTokenSender) => Promise<LogoutToken>

export interface LogoutToken {
  readonly subject?: string
  readonly sid?: string
  readonly jti: string
  /** Until when its `jti` has to be remembered. */
  readonly expiresAt: number
}

/** Seconds that the server's clock may be off ours. */
const clockTolerance = 30
/** Seconds after its making for which a logout token without a shorter end is taken. */
const maxAge = 300
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** `POST P/backchannel-logout`. @see {@link https://openid.net/specs/openid-connect-backchannel-1_0.html} */
export async function backchannelLogout(ctx: EndpointContext): Promise<void> {
  const { call, limits } = ctx.state
  const { frontend, client, requestId } = call
  await limits.logoutToken.assertRoom(client.address)
  const body = await readFormBody(ctx.req, { limit: 16_384 })
  const token = body.get('logout_token')
  if (token === undefined) throw new Refusal('bff.logout.token_refused', 'there is no logout_token')
  try {
    await frontend.acceptLogoutToken(token, { network: widestNetworkOf(client.address), requestId })
  } catch (error) {
    const isOfTheSender = isRefusedToken(error) || (error instanceof Refusal && error.cause instanceof LookedTooOften)
    if (isOfTheSender) await limits.logoutToken.failed(client.address)
    throw error
  }
  await limits.logoutToken.proved(client.address)
  ctx.body = ''
  ctx.status = 200
}

/** Ends what a logout token names: the sessions of one `sid`, or without it all of a user's. */
export function createLogoutTokenAcceptance(
  { name, authority, options, sessions }: Pick<ProvisionedFrontend, 'name' | 'authority' | 'options' | 'sessions'>,
  verify: VerifyLogoutToken,
  store: Store,
): ProvisionedFrontend['acceptLogoutToken'] {
  return async (token, from) => {
    const { subject, sid, jti, expiresAt } = await verify(token, from)
    // Each server gives identifiers of its own.
    const used = `logout-jti:${name}:${authority === undefined ? '' : `${authority.name}:`}${jti}`
    if ((await store.get(used)) !== undefined)
      throw new Refusal('bff.logout.token_refused', 'the token was used before')
    const keys = await sessions.keysOf({ ...(sid !== undefined ? { sid } : { subject: subject ?? '' }), of: options })
    await Promise.all(keys.map((key) => sessions.end({ key }, 'backchannel-logout', from.requestId)))
    // After the work: had it failed, the server's next try would be taken for a replay.
    if (!(await store.addIfAbsent(used, '1', expiresAt)))
      throw new Refusal('bff.logout.token_refused', 'the token was used before')
  }
}

/**
 * Of a frontend with several authorization servers: each that the token is for checks it, and ends its own sessions. `aud` may
 * name several clients of one server (§2.4). One that could not is tried again by the server's next try, which the others have
 * seen before.
 */
export function logoutTokenAcceptanceByIssuer({
  addressed,
}: Authorities<ProvisionedFrontend>): ProvisionedFrontend['acceptLogoutToken'] {
  return async (token, from) => {
    const { iss, aud } = unverified(token)
    const meant = addressed(iss, aud)
    if (meant.length === 0) refuse('no authorization server of this frontend has signed the token for it')
    const accepted = await Promise.allSettled(meant.map((frontend) => frontend.acceptLogoutToken(token, from)))
    const failed = accepted.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    const mayBeTriedAgain = failed.find((error) => !isRefusedToken(error))
    if (mayBeTriedAgain !== undefined) throw mayBeTriedAgain
    if (failed.length === meant.length) throw failed[0]
  }
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token)
  } catch {
    return refuse('the token is not valid (unreadable)')
  }
}

/** The checks of §2.6. */
export function createLogoutTokenVerifier(
  { options, oauth, sessions }: Pick<ProvisionedFrontend, 'options' | 'oauth' | 'sessions'>,
  now: () => number,
): VerifyLogoutToken {
  const accepted = [...acceptedAlgorithms(options)]

  return async (token, from) => {
    const payload = await verified(token, from)
    const { sub, sid, jti, iat, exp, nonce, events } = payload
    if (nonce !== undefined) refuse('a logout token has no nonce')
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) refuse('the token has no usable "jti"')
    if (iat === undefined || exp === undefined) refuse('the token has no "iat" or no "exp"')
    if (iat > now() + clockTolerance) refuse('the token is from the future')
    if (typeof events !== 'object' || events === null || !isObject((events as Record<string, unknown>)[logoutEvent]))
      refuse('the token is not about a logout')
    if (sid !== undefined && (typeof sid !== 'string' || sid === '')) refuse('the token has no usable "sid"')
    if (sub === undefined && sid === undefined) refuse('the token names neither a user nor a session')
    return {
      ...(sub !== undefined && { subject: sub }),
      ...(typeof sid === 'string' && { sid }),
      jti,
      expiresAt: Math.min(exp, iat + maxAge) + 2 * clockTolerance,
    }
  }

  async function verified(token: string, { network, requestId }: LogoutTokenSender): Promise<JWTPayload> {
    // Those of this client's ID tokens (§2.6). Without any there is no session to end.
    const known = await sessions.idTokenAlgorithms(options)
    const algorithms = known.length === 0 ? accepted : accepted.filter((name) => known.includes(name))
    try {
      const checks = {
        algorithms,
        issuer: options.authority,
        audience: options.clientId,
        clockTolerance,
        maxTokenAge: maxAge,
        currentDate: new Date(now() * 1000),
        requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
      }
      const { payload, protectedHeader } = await oauth
        .forRequest(requestId)
        .keys.verify((find) => jwtVerify(token, find, checks), { network })
      // Servers from before the specification's final text leave it out; another type is another kind of token.
      const { typ } = protectedHeader
      if (typ !== undefined && !/^(?:application\/)?(?:logout\+jwt|jwt)$/i.test(typ))
        refuse('the token is of another type')
      return payload
    } catch (error) {
      if (error instanceof Refusal) throw error
      if (error instanceof LookedTooOften) throw new Refusal('bff.issuer.unavailable', error.message, { cause: error })
      // An unreachable key set is no reason to believe or to disbelieve: the server has to try again.
      if (isKeySetOutOfReach(error))
        throw new Refusal('bff.issuer.unavailable', 'the keys of the authorization server cannot be fetched')
      return refuse(`the token is not valid (${whatIsWrong(error, token, algorithms)})`)
    }
  }
}

/** Names of errors, claims and algorithms; of values only those by which servers and clients are mixed up. */
function whatIsWrong(error: unknown, token: string, algorithms: readonly string[]): string {
  if (error instanceof errors.JOSEAlgNotAllowed) {
    const { alg } = decodeProtectedHeader(token)
    return `signed with ${/^\w{1,16}$/.test(String(alg)) ? alg : 'what is no algorithm'}, allowed are ${algorithms.join(', ')}`
  }
  if (error instanceof errors.JWTExpired) return 'expired: compare the clocks'
  if (error instanceof errors.JWTClaimValidationFailed) {
    const value = error.claim === 'iss' || error.claim === 'aud' ? decodeJwt(token)[error.claim] : undefined
    return `"${error.claim}" ${value === undefined ? error.reason.replaceAll('_', ' ') : `is ${printable(String(value))}`}`
  }
  return error instanceof errors.JOSEError ? error.code : 'unreadable'
}

function isRefusedToken(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'bff.logout.token_refused'
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refuse(detail: string): never {
  throw new Refusal('bff.logout.token_refused', detail)
}
