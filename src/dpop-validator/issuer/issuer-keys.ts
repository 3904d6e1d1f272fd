import { UpstreamError } from '../../errors.js'
import { type JwsAlgorithm, type SignatureKey, signatureKey, traitsOf } from '../../jose/algorithm.js'
import { isJsonObject } from '../../jose/json-object.js'
import { importPublicKey, type Jwk, privateMembers, thumbprint } from '../../jose/jwk.js'

/** A key that an issuer publishes, or did. */
export interface IssuerKey {
  readonly jwk: Jwk
  /**
   * Whether what it has signed may still be believed: the issuer has not taken it back, and could be asked not too long ago.
   * Has the key set fetched again when that is due, so that a token in constant use does not outlive its key.
   */
  vouches(): boolean
  /** Imported once for each algorithm. Undefined when the key does not fit. */
  signatureKey(algorithm: JwsAlgorithm): SignatureKey | undefined
}

export interface IssuerKeys {
  /** The keys that may have made a signature; none when the issuer has no such key. @throws UpstreamError when that cannot be known now */
  find(algorithm: JwsAlgorithm, kid: string | undefined): readonly IssuerKey[] | Promise<readonly IssuerKey[]>
  /**
   * The same after another look at the key set: an issuer may have changed the key behind an id. Undefined when there is
   * nothing to fetch, or it was looked at too often of late.
   * @param tried Where they were replaced meanwhile, for another request, the new ones are what is asked for.
   */
  findAnew(
    algorithm: JwsAlgorithm,
    kid: string | undefined,
    tried: readonly IssuerKey[],
  ): Promise<readonly IssuerKey[]> | undefined
  /** Fetches what is not there yet. @throws UpstreamError */
  ready(): Promise<void>
}

export interface IssuerKeysOptions {
  /** The key set, where it is configured; nothing is fetched then. */
  readonly fixed?: Record<string, unknown> | undefined
  /** Fetches the key set anew. */
  readonly fetchKeySet: () => Promise<Record<string, unknown>>
  /** Seconds after which the key set is fetched again, while the old one still serves. */
  readonly maxAge: number
  /** Seconds the old one serves while the issuer cannot be reached. */
  readonly maxStale: number
  /** Seconds in which unknown key ids cause at most `burst` fetches; also the longest pause after failures. */
  readonly cooldown: number
  readonly burst: number
  readonly now: () => number
  readonly onFetched?: () => void
  readonly onFailed?: (error: Error) => void
}

/** The keys of one issuer, fetched when needed, by one request at a time, however many ask. */
export function createIssuerKeys({
  fixed,
  fetchKeySet,
  maxAge,
  maxStale,
  cooldown,
  burst,
  now,
  onFetched,
  onFailed,
}: IssuerKeysOptions): IssuerKeys {
  let keys: ReadonlyMap<string, IssuerKey> | undefined
  let fetchedAt = 0
  let fetching: Promise<void> | undefined
  let failures = 0
  let failure: UpstreamError | undefined
  let pauseUntil = Number.NEGATIVE_INFINITY
  let fetchesForUnknown: readonly number[] = []

  async function fetchNow(): Promise<void> {
    try {
      take(await fetchKeySet())
      fetchedAt = now()
      failures = 0
      failure = undefined
      onFetched?.()
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error
      failure = error
      pauseUntil = now() + Math.min(cooldown, 2 ** failures++)
      onFailed?.(error)
      throw error
    } finally {
      fetching = undefined
    }
  }

  /** A key that is still there stays the same object, so what it vouched for stays cached. */
  function take(keySet: Record<string, unknown>): void {
    const before = keys
    keys = new Map(
      [...readKeySet(keySet)].map(([id, jwk]) => [id, before?.get(id) ?? issuerKey(jwk, () => vouches(id))]),
    )
  }

  function vouches(id: string): boolean {
    const age = ageOfKeys()
    if (age > maxAge) refresh().catch(() => undefined)
    return age <= maxStale && keys?.has(id) === true
  }

  /** Seconds. A clock that was set back says nothing: then they are looked at anew, as if they were just due. */
  function ageOfKeys(): number {
    if (fixed !== undefined) return 0
    const age = now() - fetchedAt
    if (age >= 0) return age
    fetchedAt = now() - maxAge
    return maxAge + 1
  }

  /** Never longer than the longest pause, whatever the clock was set to. */
  function isPaused(): boolean {
    const left = pauseUntil - now()
    return left > 0 && left <= cooldown
  }

  /** At most one at a time, and none in the pause after a failure. */
  function refresh(): Promise<void> {
    if (fetching !== undefined) return fetching
    if (failure !== undefined && isPaused()) return Promise.reject(failure)
    fetching = fetchNow()
    return fetching
  }

  function mayFetchForUnknown(): boolean {
    if (fetching !== undefined) return true
    fetchesForUnknown = fetchesForUnknown.filter((at) => Math.abs(now() - at) < cooldown)
    if (fetchesForUnknown.length >= burst) return false
    fetchesForUnknown = [...fetchesForUnknown, now()]
    return true
  }

  const found = (algorithm: JwsAlgorithm, kid: string | undefined) => candidates(keys ?? new Map(), algorithm, kid)
  if (fixed !== undefined) take(fixed)

  return {
    find(algorithm, kid) {
      const age = ageOfKeys()
      if (keys === undefined || age > maxStale) return refresh().then(() => found(algorithm, kid))
      // In the background: this request is answered with what we have.
      if (age > maxAge) refresh().catch(() => undefined)
      const known = found(algorithm, kid)
      if (known.length > 0 || fixed !== undefined) return known
      // Not "unknown" but "cannot know": the issuer may have rotated to just this key.
      if (failure !== undefined && isPaused()) throw failure
      if (!mayFetchForUnknown())
        throw new UpstreamError('unreachable', "the issuer's keys were looked at too often of late for unknown key ids")
      return refresh().then(() => found(algorithm, kid))
    },

    findAnew(algorithm, kid, tried) {
      const current = found(algorithm, kid)
      if (current.some((key) => !tried.includes(key))) return Promise.resolve(current)
      if (fixed !== undefined || (failure !== undefined && isPaused()) || !mayFetchForUnknown()) return undefined
      // Where the issuer cannot be reached, what we have stays what counts.
      return refresh().then(
        () => found(algorithm, kid),
        () => [],
      )
    },

    async ready() {
      if (keys === undefined) await refresh()
    },
  }
}

/** Repeated key ids are told apart by their other attributes, then all that fit are tried (FAPI 2.0 §5.4.3). */
function candidates(
  keys: ReadonlyMap<string, IssuerKey>,
  algorithm: JwsAlgorithm,
  kid: string | undefined,
): readonly IssuerKey[] {
  const found: IssuerKey[] = []
  for (const key of keys.values()) {
    if (kid !== undefined && key.jwk.kid !== undefined && key.jwk.kid !== kid) continue
    if (key.signatureKey(algorithm) !== undefined) found.push(key)
  }
  const named = found.filter((key) => kid !== undefined && key.jwk.kid === kid)
  return (named.length > 0 ? named : found.filter((key) => kid === undefined || key.jwk.kid === undefined)).slice(0, 8)
}

const mostKeys = 100

/** What is of no use here (symmetric, for encryption, of an unknown type) is skipped; a private key is never used. */
function readKeySet({ keys }: Record<string, unknown>): ReadonlyMap<string, Jwk> {
  if (!Array.isArray(keys)) throw new UpstreamError('invalid_response', "the issuer's key set has no keys")
  const usable = new Map<string, Jwk>()
  for (const jwk of keys) {
    if (usable.size === mostKeys) break
    if (!isJsonObject(jwk) || privateMembers.some((member) => member in jwk)) continue
    if (jwk.use !== undefined && jwk.use !== 'sig') continue
    if (jwk.kid !== undefined && typeof jwk.kid !== 'string') continue
    const id = identityOf(jwk)
    if (id !== undefined) usable.set(id, jwk)
  }
  if (usable.size === 0) throw new UpstreamError('invalid_response', "the issuer's key set has no usable key")
  return usable
}

function identityOf(jwk: Jwk): string | undefined {
  try {
    return `${jwk.kid ?? ''} ${jwk.alg ?? ''} ${thumbprint(jwk)}`
  } catch {
    return undefined
  }
}

function issuerKey(jwk: Jwk, vouches: () => boolean): IssuerKey {
  const imported = new Map<JwsAlgorithm, SignatureKey | undefined>()
  return {
    jwk,
    vouches,
    signatureKey(algorithm) {
      if (!imported.has(algorithm))
        imported.set(algorithm, fits(jwk, algorithm) ? importedFor(jwk, algorithm) : undefined)
      return imported.get(algorithm)
    },
  }
}

function fits({ kty, crv, alg }: Jwk, algorithm: JwsAlgorithm): boolean {
  const traits = traitsOf(algorithm)
  if (kty !== traits.kty || (traits.crv !== undefined && crv !== traits.crv)) return false
  return alg === undefined || alg === algorithm || (traits.kty === 'OKP' && ['EdDSA', 'Ed25519'].includes(alg))
}

/** RSA keys below 2048 bits are not used (FAPI 2.0 §5.4.1-2). */
function importedFor(jwk: Jwk, algorithm: JwsAlgorithm): SignatureKey | undefined {
  const key = importPublicKey(jwk)
  if (key === undefined || (key.asymmetricKeyDetails?.modulusLength ?? 2048) < 2048) return undefined
  return signatureKey(algorithm, key)
}
