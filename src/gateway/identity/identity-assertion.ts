import { randomUUID } from 'node:crypto'
import { signJws } from '../../jose/sign-jws.js'
import { identityAssertionDefaults } from '../defaults.js'
import type { FrontendOptions } from '../options.js'
import { Refusal } from '../refusal.js'
import type { RouteOptions } from '../route-options.js'
import { knownClaims } from '../session/session-claims.js'
import type { Session } from '../session/session-record.js'
import type { Credentials } from '../tokens/credentials.js'

/** Seconds that an assertion is good for. */
const lifetime = 60
/** Seconds that are left of it at least when it is sent. */
const leastLeft = 30

/** Says who the user of a session is. */
export type AssertIdentity = (session: Session) => Promise<Credentials>

type Asserting = Pick<FrontendOptions, 'publicUrl' | 'pathPrefix' | 'assertionKeys' | 'authority'>

/** Whom assertions of a frontend come from: `iss`. */
export function assertionIssuer({ publicUrl, pathPrefix }: Pick<FrontendOptions, 'publicUrl' | 'pathPrefix'>): string {
  return publicUrl.origin + pathPrefix
}

/** The field that carries it, as sent: in lower case. */
export function assertionField({
  header = identityAssertionDefaults.header,
}: NonNullable<RouteOptions['identityAssertion']>) {
  return header.toLowerCase()
}

/**
 * For APIs that know nothing of OAuth: a JWT (RFC 7519) that names the user, for one audience and for a minute. One is signed for
 * a session and a route, and serves until half of its time is over or the claims have changed. Undefined where a route has none.
 */
export function createAssertIdentity(
  { identityAssertion }: Pick<RouteOptions, 'identityAssertion'>,
  { assertionKeys: [key] = [], ...frontend }: Asserting,
  now: () => number,
): AssertIdentity | undefined {
  if (identityAssertion === undefined) return undefined
  if (key === undefined) throw new TypeError('an assertion needs a key')
  const { audience, claims: names = [] } = identityAssertion
  const field = assertionField(identityAssertion)
  const header = { alg: key.alg, typ: 'JWT', kid: key.kid }
  const iss = assertionIssuer(frontend)

  const sign = async ({ record }: Session, iat: number): Promise<Credentials> => {
    // Who it is about is never a guess, and a session may be older than the scope "openid".
    if (record.subject === undefined)
      throw new Refusal('bff.session.ended', 'the session names no user: it was begun without "openid"; log in again')
    const { claims } = knownClaims(record, iat)
    const chosen = Object.fromEntries(names.flatMap((name) => (name in claims ? [[name, claims[name]]] : [])))
    // Of several servers each may have a user of this name. A session from before there were several is of the issuer of its ID token.
    const idp = record.server?.authority ?? record.claims.iss ?? frontend.authority
    const assertion = {
      ...chosen,
      iss,
      sub: record.subject,
      idp,
      aud: audience,
      iat,
      exp: iat + lifetime,
      jti: randomUUID(),
    }
    return { kind: 'assertion', field, assertion: await signJws(key, header, assertion) }
  }

  // As long as its session is held: a refresh makes another one.
  const signed = new WeakMap<Session, { readonly made: Promise<Credentials>; readonly until: number }>()
  return (session) => {
    const time = Math.floor(now())
    const known = signed.get(session)
    if (known !== undefined && time < known.until) return known.made
    const made = sign(session, time)
    signed.set(session, { made, until: time + lifetime - leastLeft })
    made.catch(() => signed.delete(session))
    return made
  }
}
