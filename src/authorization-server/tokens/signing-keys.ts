import { randomBytes } from 'node:crypto'
import { UpstreamError } from '../../errors.js'
import {
  generateSigningJwk,
  type Jwk,
  type SigningKey,
  signingKey,
  type VerificationKey,
  verificationKey,
} from '../../jose/jwk.js'
import { publish } from '../../telemetry/events.js'
import type { ServerAlgorithm } from '../options.js'
import { nameOf } from './jws.js'
import type { SigningKeySource } from './key-source.js'

/** The keys that tokens are signed with. They rotate by themselves: published first, then used, then kept until the last token has expired. */
export interface SigningKeys {
  /** The key that signs now. */
  current(algorithm: ServerAlgorithm): SigningKey
  /** The key set as published (RFC 7517 §5). */
  published(): readonly Jwk[]
  /** Of those that are published: how far each is on its way. */
  state(): readonly SigningKeyState[]
  /** Keys whose signatures still count. */
  verificationKeys(): readonly VerificationKey[]
  /** The same on every replica: what DPoP nonces are made with. */
  readonly nonceSecret: Buffer
  /** Looks at the source and rotates what is due. Runs by itself at every interval. */
  refresh(): Promise<void>
  close(): void
}

/** A key of the authorization server, by its public half. */
export interface SigningKeyState {
  /** As in the key set. */
  readonly kid: string
  /** What it signs with. */
  readonly algorithm: string
  /** `next`: published, and signs later. `signing`: signs now. `retired`: only what it has signed still counts. */
  readonly status: 'next' | 'signing' | 'retired'
  /** Seconds since the epoch: when it begins, or began, to sign. */
  readonly signsFrom: number
}

export interface SigningKeysOptions {
  readonly source: SigningKeySource
  readonly algorithms: readonly ServerAlgorithm[]
  /** Seconds a key signs. */
  readonly lifetime: number
  /** Seconds a key is published before it signs. */
  readonly publishBefore: number
  /** Seconds a key stays published after its last signature: the longest life of a token. */
  readonly retention: number
  /** Seconds between two looks at the source. */
  readonly refreshInterval: number
  readonly now: () => number
}

/** What the source keeps. Which key signs follows from it and the clock, so every replica agrees without asking. */
interface KeyRing {
  readonly keys: readonly RingKey[]
  /** base64url */
  readonly nonceSecret: string
}

interface RingKey {
  readonly jwk: Jwk
  readonly signsFrom: number
}

interface LoadedKey extends SigningKey {
  readonly signsFrom: number
  readonly verificationKey: VerificationKey
}

export async function createSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { source, algorithms, refreshInterval, now } = options
  let keys: readonly LoadedKey[] = []
  let held: KeyRing | undefined
  let revision: string | undefined
  let nonceSecret = Buffer.alloc(0)

  const load = (text: string, readRevision: string): void => {
    if (readRevision === revision) return
    const ring = JSON.parse(text) as KeyRing
    keys = ring.keys.map(({ jwk, signsFrom }) => {
      const key = signingKey(jwk)
      return { ...key, signsFrom, verificationKey: verificationKey(key.publicJwk) }
    })
    nonceSecret = Buffer.from(ring.nonceSecret, 'base64url')
    held = ring
    revision = readRevision
  }

  const refresh = async (): Promise<void> => {
    // A lost race means that another replica has rotated: read what it made. A replica cannot lose every race.
    for (;;) {
      const kept = await source.read()
      const ring: KeyRing =
        kept === undefined
          ? // A source that has lost its data gets back what signs here: tokens in flight stay good.
            (held ?? { keys: [], nonceSecret: randomBytes(32).toString('base64url') })
          : (JSON.parse(kept.text) as KeyRing)
      const rotated = rotate(ring.keys, options)
      if (rotated === undefined && kept !== undefined) return load(kept.text, kept.revision)
      const text = JSON.stringify({ ...ring, keys: rotated ?? ring.keys } satisfies KeyRing)
      const won = kept === undefined ? await source.create(text) : await source.replace(kept.revision, text)
      if (won)
        for (const { jwk } of (rotated ?? []).filter((key) => !ring.keys.includes(key)))
          publish({ type: 'as.key.rotated', kid: String(jwk.kid), algorithm: String(jwk.alg) })
    }
  }

  await refresh()
  const timer = setInterval(() => {
    refresh().catch((error: unknown) => {
      // The keys we have go on working; the next look may succeed.
      publish({ type: 'as.keys.unavailable', error: error instanceof UpstreamError ? error.code : 'unreadable' })
    })
  }, refreshInterval * 1000)
  timer.unref()

  const inUse = (): readonly LoadedKey[] => {
    const time = now()
    return keys.filter((key) => !isRetired(key, keys, options.retention, time))
  }

  return {
    current(algorithm) {
      const time = now()
      const candidates = keys.filter((key) => key.algorithm === algorithm && key.signsFrom <= time)
      const key = candidates.reduce<LoadedKey | undefined>(
        (latest, candidate) => (latest === undefined || candidate.signsFrom > latest.signsFrom ? candidate : latest),
        undefined,
      )
      if (key === undefined) throw new TypeError(`no key signs with ${algorithm}; algorithms: ${algorithms.join(', ')}`)
      return key
    },
    published: () => inUse().map(({ publicJwk, algorithm }) => ({ ...publicJwk, alg: nameOf(algorithm) })),
    state: () => statesOf(inUse(), now()),
    verificationKeys: () => inUse().map((key) => key.verificationKey),
    get nonceSecret() {
      return nonceSecret
    },
    refresh,
    close: () => clearInterval(timer),
  }
}

function statesOf(keys: readonly LoadedKey[], time: number): readonly SigningKeyState[] {
  return keys.map(({ kid, algorithm, signsFrom }) => {
    const isFollowed = keys.some(
      (other) => other.algorithm === algorithm && other.signsFrom > signsFrom && other.signsFrom <= time,
    )
    const status = signsFrom > time ? 'next' : isFollowed ? 'retired' : 'signing'
    return { kid, algorithm: nameOf(algorithm), status, signsFrom }
  })
}

/** The ring as it should be now; undefined when it is so already. */
function rotate(
  keys: readonly RingKey[],
  { algorithms, lifetime, publishBefore, retention, now }: SigningKeysOptions,
): readonly RingKey[] | undefined {
  const time = now()
  const made = algorithms.flatMap((algorithm): RingKey[] => {
    const own = keys.filter(({ jwk }) => jwk.alg === algorithm)
    const latest = Math.max(...own.map(({ signsFrom }) => signsFrom))
    // The very first key signs at once: no client or API can have cached a key set without it.
    if (own.length === 0) return [{ jwk: generateSigningJwk(algorithm), signsFrom: time }]
    if (time < latest + lifetime - publishBefore) return []
    return [{ jwk: generateSigningJwk(algorithm), signsFrom: Math.max(latest + lifetime, time + publishBefore) }]
  })
  const kept = keys.filter(
    (key) => !isRetired({ ...key, algorithm: key.jwk.alg }, withAlgorithm(keys), retention, time),
  )
  return made.length === 0 && kept.length === keys.length ? undefined : [...kept, ...made]
}

function withAlgorithm(keys: readonly RingKey[]) {
  return keys.map(({ jwk, signsFrom }) => ({ algorithm: jwk.alg, signsFrom }))
}

interface Successive {
  readonly algorithm: string | undefined
  readonly signsFrom: number
}

/** Whether its successor has been signing for longer than any of its tokens lives. */
function isRetired(key: Successive, all: readonly Successive[], retention: number, time: number): boolean {
  return all.some(
    (other) =>
      other.algorithm === key.algorithm && other.signsFrom > key.signsFrom && other.signsFrom + retention < time,
  )
}
