import {
  type CompactVerifyResult,
  compactVerify,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTVerifyGetKey,
} from 'jose'
import { UpstreamError } from '../../errors.js'
import type { IssuerFetch } from '../issuer-fetch.js'

/** The keys of one authorization server, for everything that it signs: ID tokens, userinfo, logout tokens. */
export interface IssuerKeys {
  /** For `jwtVerify`. A key that is not known is looked for once more, in case the server has just begun to sign with it. */
  readonly find: JWTVerifyGetKey
  /** @throws UpstreamError `invalid_response` when the signature does not hold, others when the keys cannot be had */
  verifySignature(idToken: string, algorithms: readonly string[]): Promise<CompactVerifyResult>
}

export interface IssuerKeysOptions {
  /** Of the server's metadata. */
  readonly jwksUri: () => Promise<string | undefined>
  readonly fetch: IssuerFetch
  /** Seconds on a clock that only goes forward. Tests pass their own. */
  readonly elapsed?: () => number
}

/** Seconds within which keys are looked for anew `mostLooks` times, however many tokens name keys that are not known. */
const coolDown = 30
const mostLooks = 2

export function createIssuerKeys({
  jwksUri,
  fetch,
  elapsed = () => performance.now() / 1000,
}: IssuerKeysOptions): IssuerKeys {
  let known: { readonly uri: string; readonly set: ReturnType<typeof createRemoteJWKSet> } | undefined
  let looks: readonly number[] = []
  let looking: Promise<void> | undefined

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

  const mayLook = (): boolean => {
    const time = elapsed()
    looks = looks.filter((at) => time - at < coolDown)
    if (looks.length >= mostLooks) return false
    looks = [...looks, time]
    return true
  }

  const find: JWTVerifyGetKey = async (header, token) => {
    const set = await keySet()
    try {
      return await set(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      if (looking === undefined && !mayLook()) throw error
      looking ??= set.reload().finally(() => {
        looking = undefined
      })
      await looking
      return set(header, token)
    }
  }

  return {
    find,

    async verifySignature(idToken, algorithms) {
      try {
        return await compactVerify(idToken, find, { algorithms: [...algorithms] })
      } catch (error) {
        if (!(error instanceof errors.JOSEError) || isKeySetOutOfReach(error)) throw error
        throw new UpstreamError('invalid_response', `the ID token's signature does not hold (${error.code})`)
      }
    },
  }
}

/** That keys cannot be fetched is no reason to believe or to disbelieve. */
export function isKeySetOutOfReach(error: unknown): boolean {
  return !(error instanceof errors.JOSEError) || ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC'].includes(error.code)
}
