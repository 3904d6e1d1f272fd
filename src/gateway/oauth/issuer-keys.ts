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
  readonly jwksUri: () => Promise<string | undefined>
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

export function createIssuerKeys({
  jwksUri,
  fetch,
  elapsed = () => performance.now() / 1000,
}: IssuerKeysOptions): IssuerKeys {
  let known: { readonly uri: string; readonly set: KeySet } | undefined
  let looks: readonly { readonly at: number; readonly sender: string | undefined }[] = []
  let looking: Promise<void> | undefined
  /** How often they were fetched anew. */
  let edition = 0

  const keySet = async () => {
    const uri = await jwksUri()
    if (uri === undefined) throw new UpstreamError('invalid_response', 'the authorization server publishes no keys')
    if (known?.uri !== uri) {
      const set = createRemoteJWKSet(new URL(uri), {
        // When to look again for an unknown key is decided below; our own fetch gives up as configured.
        cooldownDuration: Number.POSITIVE_INFINITY,
        timeoutDuration: 600_000,
        [customFetch]: (url, { method, headers, signal }) => fetch(url, { method, headers, signal }),
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

  /** One look for all who want one at the same time. False when it was looked too often of late. */
  const lookAgain = async (set: KeySet, sender: Sender): Promise<boolean> => {
    if (looking === undefined && !mayLook(sender)) return false
    looking ??= set
      .reload()
      .then(() => {
        edition++
      })
      .finally(() => {
        looking = undefined
      })
    await looking
    return true
  }

  const verify: IssuerKeys['verify'] = async (check, sender = 'server') => {
    const set = await keySet()
    const checked = edition
    try {
      return await withEachKey(set, check)
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey
      if (!isUnknown && !(error instanceof errors.JWSSignatureVerificationFailed)) throw error
      // They may have been fetched for another token meanwhile.
      const isNewer = edition !== checked || (await lookAgain(set, sender).catch(outOfReach))
      if (!isNewer) throw isUnknown ? new LookedTooOften() : error
      return withEachKey(set, check)

      /** Whether an unknown key is one of the server's cannot be said then; a signature that does not hold, does not. */
      function outOfReach(cause: unknown): never {
        throw isUnknown ? cause : error
      }
    }
  }

  return {
    verify,

    async warm() {
      const set = await keySet()
      if (set.jwks() === undefined) await set.reload()
    },

    async verifySignature(idToken, algorithms) {
      try {
        return await verify((find) => compactVerify(idToken, find, { algorithms: [...algorithms] }))
      } catch (error) {
        if (!(error instanceof errors.JOSEError) || isKeySetOutOfReach(error)) throw error
        throw new UpstreamError('invalid_response', `the ID token's signature does not hold (${error.code})`)
      }
    },
  }
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
