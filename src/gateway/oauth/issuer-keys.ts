import {
  type CompactVerifyResult,
  compactVerify,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
} from 'jose'
import { UpstreamError } from '../../errors.js'
import type { IssuerFetch } from './issuer-fetch.js'

/** `jwtVerify` or `compactVerify`, with the keys it is given. */
export type SignatureCheck<Result> = (find: JWTVerifyGetKey) => Promise<Result>

/** Who brought the token: the server, which was asked over TLS, or a network of strangers. */
export type Sender = 'server' | { readonly network: string }

/** Whether a key is the server's cannot be said: the sender has had it looked for too often of late. */
export class LookedTooOften extends UpstreamError {
  constructor() {
    super('unreachable', 'the key was looked for too often of late')
  }
}

type KeySet = ReturnType<typeof createRemoteJWKSet>

/** The keys of one authorization server, for everything that it signs: ID tokens, userinfo, logout tokens. */
export interface IssuerKeys {
  /**
   * Checks a signature, and once more with the keys fetched anew where the key is not known, in case the server has just
   * begun to sign with it, or the signature does not hold: another key may be behind the same id by now.
   * @param sender Default: the server. What one network sends uses up the looks of no other, nor the server's.
   * @throws LookedTooOften when the key is unknown and there was no look left
   */
  verify<Result>(check: SignatureCheck<Result>, sender?: Sender): Promise<Result>
  /** @throws UpstreamError `invalid_response` when the signature does not hold, others when the keys cannot be had */
  verifySignature(idToken: string, algorithms: readonly string[]): Promise<CompactVerifyResult>
  /** Fetches them, if they are not there yet. @throws when they cannot be had */
  warm(): Promise<void>
}

export interface IssuerKeysOptions {
  /** Of the server's metadata. */
  readonly jwksUri: (requestId: string | undefined) => Promise<string | undefined>
  readonly fetch: IssuerFetch
  /** Seconds on a clock that only goes forward. Tests pass their own. */
  readonly elapsed?: () => number
}

/** Seconds within which keys are looked for anew `mostLooks` times, however many tokens there are that fit none. */
const coolDown = 30
const mostLooks = 2
/** Of all strangers together: what the server's key set is asked for at most. */
const mostLooksOfStrangers = 10
/** Of those that fit one token. */
const mostKeys = 8

/** @returns the keys as a request looks for them: what is fetched meanwhile is done for it */
export function createIssuerKeys({
  jwksUri,
  fetch,
  elapsed = () => performance.now() / 1000,
}: IssuerKeysOptions): (requestId?: string) => IssuerKeys {
  let known: { readonly uri: string; readonly set: KeySet } | undefined
  let looks: readonly { readonly at: number; readonly sender: string | undefined }[] = []
  let looking: Promise<void> | undefined
  /** How often they were fetched anew. */
  let edition = 0
  /** jose fetches at once, when a key or the set is asked for, and takes no fields for it. */
  let askedFor: string | undefined

  const keySet = async (requestId: string | undefined) => {
    const uri = await jwksUri(requestId)
    if (uri === undefined) throw new UpstreamError('invalid_response', 'the authorization server publishes no keys')
    if (known?.uri !== uri) {
      const set = createRemoteJWKSet(new URL(uri), {
        // When to look again for an unknown key is decided below; our own fetch gives up as configured.
        cooldownDuration: Number.POSITIVE_INFINITY,
        timeoutDuration: 600_000,
        [customFetch]: (url, { method, headers, signal }) =>
          fetch(url, { method, headers, signal, requestId: askedFor }),
      })
      known = { uri, set }
    }
    return known.set
  }

  const mayLook = (sender: Sender): boolean => {
    const at = elapsed()
    const network = sender === 'server' ? undefined : sender.network
    looks = looks.filter((look) => at - look.at < coolDown)
    const own = looks.filter((look) => look.sender === network)
    const ofStrangers = looks.filter((look) => look.sender !== undefined)
    if (own.length >= mostLooks) return false
    if (network !== undefined && ofStrangers.length >= mostLooksOfStrangers) return false
    looks = [...looks, { at, sender: network }]
    return true
  }

  const reload = (set: KeySet, requestId: string | undefined): Promise<void> => {
    askedFor = requestId
    return set.reload()
  }

  /** One look for all who want one at the same time. False when it was looked too often of late. */
  const lookAgain = async (set: KeySet, sender: Sender, requestId: string | undefined): Promise<boolean> => {
    if (looking === undefined && !mayLook(sender)) return false
    looking ??= reload(set, requestId)
      .then(() => {
        edition++
      })
      .finally(() => {
        looking = undefined
      })
    await looking
    return true
  }

  const verify = async <Result>(
    check: SignatureCheck<Result>,
    sender: Sender,
    requestId: string | undefined,
  ): Promise<Result> => {
    const set = await keySet(requestId)
    const find: JWTVerifyGetKey = (header, token) => {
      askedFor = requestId
      return set(header, token)
    }
    const checked = edition
    try {
      return await withEachKey(find, check)
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey
      if (!isUnknown && !(error instanceof errors.JWSSignatureVerificationFailed)) throw error
      // They may have been fetched for another token meanwhile.
      const isNewer = edition !== checked || (await lookAgain(set, sender, requestId).catch(outOfReach))
      if (!isNewer) throw isUnknown ? new LookedTooOften() : error
      return withEachKey(find, check)

      /** Whether an unknown key is one of the server's cannot be said then; a signature that does not hold, does not. */
      function outOfReach(cause: unknown): never {
        throw isUnknown ? cause : error
      }
    }
  }

  return (requestId) => ({
    verify: (check, sender = 'server') => verify(check, sender, requestId),

    async warm() {
      const set = await keySet(requestId)
      if (set.jwks() === undefined) await reload(set, requestId)
    },

    async verifySignature(idToken, algorithms) {
      const check = (find: JWTVerifyGetKey) => compactVerify(idToken, find, { algorithms: [...algorithms] })
      try {
        return await verify(check, 'server', requestId)
      } catch (error) {
        if (!(error instanceof errors.JOSEError) || isKeySetOutOfReach(error)) throw error
        throw new UpstreamError('invalid_response', `the ID token's signature does not hold (${error.code})`)
      }
    },
  })
}

/** With all the keys that fit, where key ids are repeated or missing (FAPI 2.0 §5.4.3). */
async function withEachKey<Result>(find: JWTVerifyGetKey, check: SignatureCheck<Result>): Promise<Result> {
  try {
    return await check(find)
  } catch (several) {
    if (!(several instanceof errors.JWKSMultipleMatchingKeys)) throw several
    let tried = 0
    for await (const key of several) {
      try {
        return await check(async () => key)
      } catch (error) {
        if (!(error instanceof errors.JWSSignatureVerificationFailed) || ++tried === mostKeys) throw error
      }
    }
    throw new errors.JWSSignatureVerificationFailed()
  }
}

/** That keys cannot be fetched is no reason to believe or to disbelieve. */
export function isKeySetOutOfReach(error: unknown): boolean {
  return !(error instanceof errors.JOSEError) || ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC'].includes(error.code)
}
