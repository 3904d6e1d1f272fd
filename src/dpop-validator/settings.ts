import { X509Certificate } from 'node:crypto'
import { ConfigurationError, type ConfigurationProblem } from '../errors.js'
import { fapiAlgorithms, isJwsAlgorithm, type JwsAlgorithm, jwsAlgorithms } from '../jose/algorithm.js'
import { signingKey } from '../jose/jwk.js'
import { isSecureUrl } from './issuer/issuer-metadata.js'
import { nonceSettings, refuseUnknown, type Wrong } from './nonce-settings.js'
import type { IssuerOptions, VerifierOptions } from './options.js'
import type { NoncePolicyOptions } from './proof/nonce-policy.js'
import { isClusterWorker } from './proof/replay-cluster-worker.js'
import { requireWellFormed } from './request/requirements.js'
import { createTokenDecryption, type DecryptToken } from './token/encrypted-token.js'
import { type ProfileName, tokenProfiles } from './token/token-profile.js'

/** The options, complete and checked: no request looks at them twice. */
export interface Settings {
  readonly issuers: readonly IssuerSettings[]
  readonly publicUrls: readonly string[]
  readonly mode: 'dpop' | 'mixed' | 'bearer' | 'any-bound'
  readonly algorithms: readonly JwsAlgorithm[]
  readonly proof: Required<Omit<NonNullable<VerifierOptions['proof']>, 'algs'>>
  readonly nonce: NoncePolicyOptions | undefined
  readonly replay: NonNullable<VerifierOptions['replay']>
  readonly replayCapacity: number
  readonly onReplayStoreError: 'deny' | 'local'
  readonly token: { readonly clockSkew: number; readonly maxLength: number; readonly max: number; readonly ttl: number }
  readonly decrypt: DecryptToken | undefined
  readonly jwks: Required<NonNullable<VerifierOptions['jwks']>>
  readonly scopes: readonly string[]
  /** Resource identifier (RFC 9728 §1.2); undefined: no metadata. */
  readonly resource: string | undefined
  readonly realm: string | undefined
  readonly cors: boolean
  readonly crypto: 'sync' | 'pool'
  readonly now: () => number
}

export interface IssuerSettings extends IssuerOptions {
  readonly audiences: readonly string[]
  readonly algorithms: readonly JwsAlgorithm[]
  readonly profile: ProfileName
}

const httpsOnly = 'Write an https URL. Plain http is accepted for loopback hosts only.'
const header = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/

/** @throws ConfigurationError with everything that is wrong at once */
export function createSettings(options: VerifierOptions): Settings {
  const problems: ConfigurationProblem[] = []
  const wrong = (pointer: string, problem: string, remedy: string): void => {
    problems.push({ pointer, problem, remedy })
  }
  const number = (pointer: string, value: number | undefined, fallback: number, least: number, most = 1e9): number => {
    if (value === undefined) return fallback
    if (typeof value === 'number' && value >= least && value <= most) return value
    wrong(pointer, `is not a number from ${least} to ${most}`, `Leave it out for ${fallback}.`)
    return fallback
  }
  const choice = <Choice extends string>(
    pointer: string,
    value: Choice | undefined,
    all: readonly Choice[],
  ): Choice => {
    if (value !== undefined && all.includes(value)) return value
    if (value !== undefined) wrong(pointer, 'is not one of its values', `Write ${all.join(', ')}.`)
    return all[0] as Choice
  }
  const usable = (pointer: string, remedy: string, check: () => unknown): void => {
    try {
      check()
    } catch (error) {
      wrong(pointer, error instanceof Error ? error.message : 'cannot be used', remedy)
    }
  }
  refuseUnknown(options, '', known, wrong)
  for (const section of ['proof', 'token', 'jwks', 'challenge', 'resource'] as const)
    refuseUnknown(options[section] ?? {}, `/${section}`, knownIn[section], wrong)

  const profiles = Object.keys(tokenProfiles) as ProfileName[]
  const profile = choice('/profile', options.profile, profiles)
  const audiences = listOf(options.audience)
  if (audiences.length === 0 || !audiences.every(isText))
    wrong('/audience', 'is missing', 'Name this API as aud of its access tokens does, such as https://api.example.com.')

  const issuers = listOf<string | IssuerOptions>(options.issuer).map((entry, index): IssuerSettings => {
    const own: IssuerOptions = typeof entry === 'string' ? { issuer: entry } : entry
    const pointer = Array.isArray(options.issuer) ? `/issuer/${index}` : '/issuer'
    if (typeof entry !== 'string') refuseUnknown(own, pointer, knownIn.issuer, wrong)
    if (!isSecure(own.issuer)) wrong(pointer, 'is not an https URL', httpsOnly)
    if (own.jwksUri !== undefined && !isSecure(own.jwksUri))
      wrong(`${pointer}/jwksUri`, 'is not an https URL', httpsOnly)
    if (!(own.algs ?? []).every(isJwsAlgorithm))
      wrong(`${pointer}/algs`, 'has an unknown name', `Use ${jwsAlgorithms.join(', ')}.`)
    const { introspection } = own
    if (introspection !== undefined) {
      const { endpoint, clientSecret, signingKey: jwk } = introspection
      if (endpoint !== undefined && !isSecure(endpoint))
        wrong(`${pointer}/introspection/endpoint`, 'is not an https URL', httpsOnly)
      if ((clientSecret === undefined) === (jwk === undefined))
        wrong(`${pointer}/introspection`, 'has not one way to authenticate', 'Give it a clientSecret or a signingKey.')
      if (jwk !== undefined)
        usable(`${pointer}/introspection/signingKey`, 'Give it a private JWK.', () => signingKey(jwk))
      number(`${pointer}/introspection/cache`, introspection.cache, 10, 0, 60)
    }
    const ownProfile = choice(`${pointer}/profile`, own.profile ?? profile, profiles)
    const ca = own.ca ?? options.ca
    if (ca !== undefined)
      usable(
        own.ca === undefined ? '/ca' : `${pointer}/ca`,
        'Give it the text of a PEM file, "-----BEGIN CERTIFICATE-----" and all.',
        () => new X509Certificate(ca),
      )
    return {
      ...own,
      ...(ca !== undefined && { ca }),
      audiences: own.audience === undefined ? audiences : listOf(own.audience),
      algorithms: own.algs ?? tokenProfiles[ownProfile].algorithms,
      profile: ownProfile,
    }
  })
  if (issuers.length === 0) wrong('/issuer', 'is missing', 'Name the authorization server by its issuer identifier.')
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length)
    wrong('/issuer', 'names one issuer twice', 'Give each issuer one entry.')

  const publicUrls = listOf(options.publicUrl)
  if (publicUrls.length === 0)
    wrong('/publicUrl', 'is missing', 'Write what clients call this API by, such as https://api.example.com.')
  for (const [index, url] of publicUrls.entries())
    if (!isText(url) || !URL.canParse(url) || !/^https?:\/\/[^?#@\\]+$/i.test(url))
      wrong(`/publicUrl/${index}`, 'is not an http or https URL', 'Write what clients call this API by.')

  const maxAge = number('/proof/maxAge', options.proof?.maxAge, 60, 1, 3600)
  const now = options.now ?? (() => Date.now() / 1000)
  const replay = options.replay ?? 'memory'
  if (typeof replay === 'string') choice('/replay', replay, ['memory', 'memory-per-process', 'cluster'])
  if (replay === 'memory' && isClusterWorker())
    wrong(
      '/replay',
      'is the memory of one of several workers',
      'Write cluster, or a store, or memory-per-process if that is meant.',
    )
  usable('/scopes', 'Write scopes as they are in tokens.', () => requireWellFormed({ scopes: options.scopes ?? [] }))
  const { realm, resourceMetadata = true } = options.challenge ?? {}
  if (realm !== undefined && !header.test(realm))
    wrong('/challenge/realm', 'has characters that a header cannot carry', 'Use ASCII without quotes.')
  const resource = resourceMetadata && problems.length === 0 ? resourceIdentifier(publicUrls, audiences) : undefined
  const { decrypt } = options.token ?? {}
  if (decrypt !== undefined) usable('/token/decrypt', 'Give it a private key.', () => createTokenDecryption(decrypt))
  const nonce = nonceSettings(options.nonce, maxAge, now, wrong)

  const settings: Settings = {
    issuers,
    publicUrls,
    mode: choice('/mode', options.mode, ['dpop', 'mixed', 'bearer', 'any-bound']),
    algorithms: proofAlgorithms(options.proof?.algs, profile, wrong),
    proof: {
      maxAge,
      // FAPI 2.0 §5.3.2.1-13: 10 must pass, more than 60 must not.
      futureSkew: number('/proof/futureSkew', options.proof?.futureSkew, 10, 0, 60),
      maxLength: number('/proof/maxLength', options.proof?.maxLength, 8192, 256, 65_536),
      maxJti: number('/proof/maxJti', options.proof?.maxJti, 256, 16, 1024),
    },
    nonce,
    replay,
    replayCapacity: number('/replayCapacity', options.replayCapacity, 1_000_000, 1),
    onReplayStoreError: choice('/onReplayStoreError', options.onReplayStoreError, ['deny', 'local']),
    token: {
      clockSkew: number('/token/clockSkew', options.token?.clockSkew, 5, 0, 300),
      maxLength: number('/token/maxLength', options.token?.maxLength, 16_384, 256, 1_048_576),
      max: number('/token/cache/max', options.token?.cache?.max, 10_000, 1),
      ttl: number('/token/cache/ttl', options.token?.cache?.ttl, 60, 0, 3600),
    },
    decrypt: problems.length === 0 && decrypt !== undefined ? createTokenDecryption(decrypt) : undefined,
    jwks: {
      timeout: number('/jwks/timeout', options.jwks?.timeout, 3, 0.01, 60),
      maxAge: number('/jwks/maxAge', options.jwks?.maxAge, 600, 1),
      maxStale: number('/jwks/maxStale', options.jwks?.maxStale, 86_400, 1),
      cooldown: number('/jwks/cooldown', options.jwks?.cooldown, 30, 1),
      burst: number('/jwks/burst', options.jwks?.burst, 2, 1),
    },
    scopes: options.scopes ?? [],
    resource,
    realm,
    cors: options.cors ?? false,
    crypto: choice('/crypto', options.crypto, ['sync', 'pool']),
    now,
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  return settings
}

/** Both names of the Ed25519 one, whichever was written. */
function proofAlgorithms(
  algs: readonly JwsAlgorithm[] | undefined,
  profile: ProfileName,
  wrong: Wrong,
): readonly JwsAlgorithm[] {
  if (algs === undefined) return profile === 'rfc9449' ? jwsAlgorithms : fapiAlgorithms
  if (algs.length === 0 || !algs.every(isJwsAlgorithm))
    wrong('/proof/algs', 'has an unknown name, or none', `Use ${jwsAlgorithms.join(', ')}.`)
  return jwsAlgorithms.filter((name) => algs.includes(name) || (isEd25519(name) && algs.some(isEd25519)))
}

function isEd25519(name: JwsAlgorithm): boolean {
  return name === 'Ed25519' || name === 'EdDSA'
}

/** The audience, where it is a URL of this API; else what the API is called by. */
function resourceIdentifier([publicUrl = '']: readonly string[], audiences: readonly string[]): string {
  const { origin } = new URL(publicUrl)
  return audiences.find((audience) => URL.canParse(audience) && new URL(audience).origin === origin) ?? publicUrl
}

const known = new Set(
  `issuer audience publicUrl mode profile proof nonce replay replayCapacity onReplayStoreError token isRevoked jwks ca
   scopes resource challenge cors crypto onEvent now`.split(/\s+/),
)
const knownIn = {
  issuer: new Set(['issuer', 'jwksUri', 'jwks', 'algs', 'audience', 'profile', 'ca', 'introspection']),
  proof: new Set(['algs', 'maxAge', 'futureSkew', 'maxLength', 'maxJti']),
  token: new Set(['clockSkew', 'maxLength', 'cache', 'decrypt']),
  jwks: new Set(['timeout', 'maxAge', 'maxStale', 'cooldown', 'burst']),
  challenge: new Set(['realm', 'resourceMetadata']),
  resource: new Set(['name', 'documentation', 'scopes']),
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isSecure(url: string): boolean {
  return isText(url) && URL.canParse(url) && isSecureUrl(new URL(url))
}

function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value as Item]
}
