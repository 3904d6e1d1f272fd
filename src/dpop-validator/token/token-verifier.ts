import type { SignatureKey } from '../../jose/algorithm.js'
import { after } from '../maybe-async.js'
import { refusals } from '../response/auth-error.js'
import {
  createTokenHeaders,
  readAccessToken,
  type TrustedIssuer,
  type VerifiedToken,
  verifyAccessToken,
} from './access-token.js'
import type { DecryptToken } from './encrypted-token.js'
import type { TokenContent } from './token-claims.js'

export interface TokenVerifierOptions {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  readonly decrypt: DecryptToken | undefined
  /** Seconds. */
  readonly clockSkew: number
  /** Seconds a verified token is reused at most. */
  readonly cacheTtl: number
  readonly signatureHolds: (key: SignatureKey, data: Buffer, signature: Buffer) => boolean | Promise<boolean>
}

/** How a token is presented: what can be known of the request before anything dear is done for it. */
export interface TokenBearer {
  /** Whether what the token says fits the request. @throws AuthError */
  readonly assertUse: (content: TokenContent) => void
  /** Whether the proof was made with its key: before a token is decrypted, or the issuer is asked. @throws AuthError */
  readonly assertSigned: () => undefined | Promise<undefined>
  /** The token was encrypted, and this was in it. */
  readonly opened: (jwt: string) => void
  /** Where the request comes from; undefined when its key came with a good token before. */
  readonly network: () => string | undefined
}

/**
 * Believes an access token, or not.
 * @throws AuthError at once where nothing has to be computed or asked for
 */
export type VerifyToken = (token: string, now: number, bearer: TokenBearer) => VerifiedToken | Promise<VerifiedToken>

export function createTokenVerifier({
  issuers,
  decrypt,
  clockSkew,
  cacheTtl,
  signatureHolds,
}: TokenVerifierOptions): VerifyToken {
  const rules = { issuers, clockSkew, headers: createTokenHeaders() }
  const introspecting = [...issuers.values()].find(({ introspection }) => introspection !== undefined)

  function verified(content: TokenContent, signer: VerifiedToken['signer'], until: number): VerifiedToken {
    const { issuer, subject, clientId, scopes, claims, header, jkt, certificate } = content
    const reusableUntil = Math.min(claims.exp + clockSkew, until)
    return {
      issuer,
      subject,
      clientId,
      scopes,
      // One object for every request with this token: what a handler writes into it must not be there for the next one.
      claims: frozen(claims),
      header: frozen(header),
      jkt,
      certificate,
      signer,
      reusableUntil,
      pinned: undefined,
    }
  }

  async function introspected(
    token: string,
    now: number,
    { introspection }: TrustedIssuer,
    network: string | undefined,
  ): Promise<VerifiedToken> {
    if (introspection === undefined) throw refusals.notJwt
    const content = await introspection.introspect(token, now, network)
    return verified(content, undefined, now + introspection.cacheTtl)
  }

  const verifyToken: VerifyToken = (token, now, bearer) => {
    const parts = partsOf(token)
    if (parts === 5 && decrypt !== undefined)
      return after(bearer.assertSigned(), () =>
        decrypt(token).then((jwt) => {
          // One layer is a token; more would be work at the sender's command.
          if (partsOf(jwt) !== 3) throw refusals.notJwt
          bearer.opened(jwt)
          return verifyToken(jwt, now, bearer)
        }),
      )
    if (introspecting !== undefined && !(parts === 3 && token.startsWith('eyJ')))
      return after(bearer.assertSigned(), () => introspected(token, now, introspecting, bearer.network()))

    const unverified = readAccessToken(token, rules, now)
    bearer.assertUse(unverified.content)
    return after(verifyAccessToken(unverified, signatureHolds), (signer) => {
      const { trusted, content } = unverified
      if (trusted.introspection?.tokens !== 'all') return verified(content, signer, now + cacheTtl)
      // The issuer has signed it: no stranger's question.
      return after(bearer.assertSigned(), () =>
        introspected(token, now, trusted, undefined).then(({ reusableUntil }) =>
          verified(content, signer, reusableUntil),
        ),
      )
    })
  }
  return verifyToken
}

function partsOf(token: string): number {
  let parts = 1
  for (let dot = token.indexOf('.'); dot !== -1; dot = token.indexOf('.', dot + 1)) parts++
  return parts
}

/** All the way down, and not by recursion: a client may have a say in how deep its claims are. */
function frozen<Value extends object>(value: Value): Value {
  const found: object[] = [value]
  for (const one of found) {
    if (Object.isFrozen(one)) continue
    for (const member of Object.values(one)) if (typeof member === 'object' && member !== null) found.push(member)
    Object.freeze(one)
  }
  return value
}
