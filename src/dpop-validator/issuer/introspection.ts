import { hash, randomUUID } from 'node:crypto'
import { UpstreamError } from '../../errors.js'
import { createFairQueue } from '../../http/limits/fair-queue.js'
import { type SigningKey, signingKey } from '../../jose/jwk.js'
import { createBoundedCache } from '../../store/bounded-cache.js'
import { introspectionDefaults } from '../defaults.js'
import type { IntrospectionOptions } from '../options.js'
import { AuthError, refusals } from '../response/auth-error.js'
import { readTokenClaims, type TokenContent, type TokenIssuer } from '../token/token-claims.js'
import { audienceHint, issuerHint } from '../token/token-hint.js'
import { isOfAnotherKind } from '../token/token-kind.js'
import type { TokenProfile } from '../token/token-profile.js'
import type { JsonExchange } from './json-exchange.js'

/**
 * Asks the issuer what a token is worth.
 * @param network Where the question comes from; undefined: from one who was let in before.
 * @throws AuthError `invalid_token`, UpstreamError
 */
export type Introspect = (token: string, now: number, network: string | undefined) => Promise<TokenContent>

/**
 * Questions open at one time. A flood of made-up tokens waits for itself, in the line of its network; proofs of a key that
 * a good token came with, and tokens that the issuer has signed, have places that no stranger takes.
 */
const places = { strangers: { concurrency: 80, maxWaiting: 200 }, known: { concurrency: 20, maxWaiting: 1000 } }

/** A dead token does not come back to life: seconds that its refusal is repeated without a question, and how many of them. */
const [refusalTtl, mostRefusals] = [5, 10_000]

export function createIntrospection(
  { clientId, clientSecret, signingKey: jwk, audience = introspectionDefaults.audience }: IntrospectionOptions,
  trusted: TokenIssuer,
  endpoint: () => Promise<URL>,
  exchange: JsonExchange,
  { timeout, clockSkew }: { readonly timeout: number; readonly clockSkew: number },
): Introspect {
  const key = jwk && signingKey(jwk)
  const strangers = createFairQueue(places.strangers)
  const known = createFairQueue(places.known)
  const open = new Map<string, Promise<Record<string, unknown>>>()
  const refused = createBoundedCache<{ readonly error: AuthError; readonly until: number }>(mostRefusals)

  async function ask(token: string, now: number): Promise<Record<string, unknown>> {
    const form = new URLSearchParams({ token, token_type_hint: 'access_token' })
    const headers: Record<string, string> = {}
    if (key === undefined) headers.Authorization = basic(clientId, clientSecret ?? '')
    else {
      form.set('client_id', clientId)
      form.set('client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer')
      form.set('client_assertion', await assertion(clientId, trusted.issuer, key, now))
    }
    return exchange(await endpoint(), { timeout, maxBytes: 262_144, form, headers })
  }

  async function askInTurn(token: string, now: number, network: string | undefined): Promise<Record<string, unknown>> {
    const queue = network === undefined ? known : strangers
    const turn = await queue.run(network ?? '', () => ask(token, now))
    if (turn.kind === 'full') throw new UpstreamError('unreachable', 'too many introspections are open')
    return turn.result
  }

  /** One question for all who ask at once. */
  function answerTo(id: string, token: string, now: number, network: string | undefined) {
    const answering = open.get(id) ?? askInTurn(token, now, network).finally(() => open.delete(id))
    open.set(id, answering)
    return answering
  }

  return async (token, now, network) => {
    const id = hash('sha256', token, 'base64url')
    const earlier = refused.get(id)
    if (earlier !== undefined && now < earlier.until) throw earlier.error
    const answer = await answerTo(id, token, now, network)
    try {
      return contentOf(answer, now)
    } catch (error) {
      if (error instanceof AuthError) refused.set(id, { error, until: now + refusalTtl })
      throw error
    }
  }

  function read(claims: Record<string, unknown>, now: number): TokenContent {
    const rules = { ...trusted, profile: lenient(trusted.profile) }
    try {
      return readTokenClaims(claims, {}, rules, clockSkew, now)
    } catch (error) {
      if (!(error === refusals.aud && error instanceof AuthError)) throw error
      throw withHint(error, audienceHint(claims, rules))
    }
  }

  function contentOf(answer: Record<string, unknown>, now: number): TokenContent {
    if (typeof answer.active !== 'boolean')
      throw new UpstreamError('invalid_response', 'the introspection response has no active')
    if (!answer.active) throw refusals.inactive
    if (answer.iss !== undefined && answer.iss !== trusted.issuer)
      throw withHint(refusals.iss, issuerHint(answer, [trusted.issuer]))
    // A refresh token is active too (RFC 7662 §2.2). Neither an audience nor a type says then that this is none.
    if (isOfAnotherKind(answer) || (answer.aud === undefined && answer.token_type === undefined)) throw refusals.typ
    const claims = {
      ...answer,
      iss: trusted.issuer,
      aud: answer.aud ?? (audience === 'trusted' ? trusted.audiences : undefined),
      exp: answer.exp ?? now + 60,
    }
    const content = read(claims, now)
    // RFC 9449 §6.2: a bound token's type is DPoP. One that says otherwise contradicts itself.
    const type = answer.token_type
    if (content.jkt !== undefined && typeof type === 'string' && type.toLowerCase() !== 'dpop') throw refusals.cnf
    return content
  }
}

/** What the issuer said of a token is not to be had from the token: it goes along with the refusal. */
function withHint(error: AuthError, hint: string): AuthError {
  return new AuthError(error.code, error.check, error.message, { cause: error, hint })
}

/** RFC 7662 §2.2 makes every member but `active` optional. */
function lenient(profile: TokenProfile): TokenProfile {
  return { ...profile, requiredClaims: [] }
}

/** RFC 6749 §2.3.1: both are form-encoded before they are joined. */
function basic(clientId: string, clientSecret: string): string {
  const encoded = [clientId, clientSecret].map((part) => new URLSearchParams({ part }).toString().slice('part='.length))
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`
}

/** RFC 7523 §3, with the issuer as the only audience (FAPI 2.0 §5.3.3.1-5). */
async function assertion(
  clientId: string,
  audience: string,
  { alg, kid, privateKey }: SigningKey,
  now: number,
): Promise<string> {
  // Only those who need it load it.
  const { SignJWT } = await import('jose')
  const iat = Math.floor(now)
  return new SignJWT({ iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat, exp: iat + 60 })
    .setProtectedHeader({ alg, kid })
    .sign(privateKey)
}
