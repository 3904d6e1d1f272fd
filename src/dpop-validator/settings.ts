import { fapiAlgorithms, isJwsAlgorithm, type JwsAlgorithm, jwsAlgorithms } from '../dpop/jws-algorithm.js'
import { ConfigurationError, type ConfigurationProblem, UpstreamError } from '../errors.js'
import type { ValidatorEvent } from '../telemetry/events.js'
import type { TrustedIssuer } from './access-token.js'
import { createIssuerKeys } from './issuer-keys.js'
import { discoverIssuer, isSecureUrl } from './issuer-metadata.js'
import { exchangeJson } from './json-exchange.js'
import type { IssuerOptions, VerifierOptions } from './options.js'
import { tokenProfiles } from './token-profile.js'

/** The options, complete and checked: nothing is looked at twice. */
export interface Settings {
  readonly issuers: ReadonlyMap<string, TrustedIssuer>
  readonly publicUrls: readonly string[]
  readonly trustedProxies: readonly string[]
  readonly mode: 'dpop' | 'mixed' | 'bearer' | 'any-bound'
  readonly proofAlgorithms: readonly JwsAlgorithm[]
  readonly proof: {
    readonly maxAge: number
    readonly futureSkew: number
    readonly maxLength: number
    readonly maxJti: number
  }
  readonly token: { readonly clockSkew: number; readonly maxLength: number }
  readonly cache: { readonly max: number; readonly ttl: number }
  readonly scopes: readonly string[]
  readonly realm: string | undefined
  readonly resourceMetadata: boolean
  readonly cors: boolean
  readonly crypto: 'sync' | 'pool'
  readonly now: () => number
}

/** @throws ConfigurationError with everything that is wrong at once */
export function createSettings(options: VerifierOptions, emit: (event: ValidatorEvent) => void): Settings {
  const problems: ConfigurationProblem[] = []
  const wrong = (pointer: string, problem: string, remedy: string): void => {
    problems.push({ pointer, problem, remedy })
  }
  const seconds = (pointer: string, value: number | undefined, fallback: number, least = 0): number => {
    const chosen = value ?? fallback
    if (typeof chosen === 'number' && Number.isFinite(chosen) && chosen >= least) return chosen
    wrong(pointer, `is not a number of at least ${least}`, `Write a number, or leave it out for ${fallback}.`)
    return fallback
  }
  refuseUnknown(options, wrong)

  const now = options.now ?? (() => Date.now() / 1000)
  const profile = options.profile ?? 'fapi2'
  if (!Object.hasOwn(tokenProfiles, profile))
    wrong('/profile', 'is not a known profile', `Write one of ${Object.keys(tokenProfiles).join(', ')}.`)
  const audiences = listOf(options.audience)
  if (audiences.length === 0 || audiences.some((audience) => typeof audience !== 'string' || audience === ''))
    wrong('/audience', 'is missing', 'Name this API as access tokens do in their aud, such as https://api.example.com.')

  const jwks = options.jwks ?? {}
  const fetching = {
    timeout: seconds('/jwks/timeout', jwks.timeout, 3, 0.01),
    maxAge: seconds('/jwks/maxAge', jwks.maxAge, 600, 1),
    maxStale: seconds('/jwks/maxStale', jwks.maxStale, 86_400, 1),
    cooldown: seconds('/jwks/cooldown', jwks.cooldown, 30, 1),
    burst: seconds('/jwks/burst', jwks.burst, 2, 1),
  }

  const issuers = new Map<string, TrustedIssuer>()
  const listed: readonly (string | IssuerOptions)[] = listOf(options.issuer)
  if (listed.length === 0) wrong('/issuer', 'is missing', 'Name the authorization server by its issuer identifier.')
  for (const [index, entry] of listed.entries()) {
    const own: IssuerOptions = typeof entry === 'string' ? { issuer: entry } : entry
    const pointer = Array.isArray(options.issuer) ? `/issuer/${index}` : '/issuer'
    const httpsOnly = 'Write an https URL. Plain http is accepted for loopback hosts only.'
    if (!isSecure(own.issuer)) wrong(pointer, 'is not an https URL', httpsOnly)
    if (own.jwksUri !== undefined && !isSecure(own.jwksUri))
      wrong(`${pointer}/jwksUri`, 'is not an https URL', httpsOnly)
    if (issuers.has(own.issuer)) wrong(pointer, 'is there twice', 'Give each issuer one entry.')
    for (const alg of own.algs ?? [])
      if (!isJwsAlgorithm(alg)) wrong(`${pointer}/algs`, 'has an unknown name', `Use ${jwsAlgorithms.join(', ')}.`)
    const ownProfile = tokenProfiles[own.profile ?? profile] ?? tokenProfiles.fapi2
    issuers.set(own.issuer, {
      issuer: own.issuer,
      audiences: own.audience === undefined ? audiences : listOf(own.audience),
      algorithms: own.algs ?? ownProfile.algorithms,
      profile: ownProfile,
      keys: createIssuerKeys({
        ...fetching,
        now,
        fixed: own.jwks && { ...own.jwks },
        fetchKeySet: keySetOf(own.issuer, own.jwksUri, fetching.timeout),
        onFetched: () => emit({ type: 'validator.keys.fetched', issuer: own.issuer }),
        onFailed: ({ message }) => emit({ type: 'validator.keys.unavailable', issuer: own.issuer, error: message }),
      }),
    })
  }

  const publicUrls = listOf(options.publicUrl)
  publicUrls.forEach((url, index) => {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol) || /[?#]/.test(url))
      wrong(`/publicUrl/${index}`, 'is not an http or https URL', 'Write what clients call this API by.')
  })

  const settings: Settings = {
    issuers,
    publicUrls,
    trustedProxies: options.trustProxy ?? [],
    mode: options.mode ?? 'dpop',
    proofAlgorithms: profile === 'rfc9449' ? jwsAlgorithms : fapiAlgorithms,
    proof: {
      maxAge: seconds('/proof/maxAge', options.proof?.maxAge, 60, 1),
      futureSkew: seconds('/proof/futureSkew', options.proof?.futureSkew, 10),
      maxLength: seconds('/proof/maxLength', options.proof?.maxLength, 8192, 256),
      maxJti: seconds('/proof/maxJti', options.proof?.maxJti, 256, 16),
    },
    token: {
      clockSkew: seconds('/token/clockSkew', options.token?.clockSkew, 5),
      maxLength: seconds('/token/maxLength', options.token?.maxLength, 16_384, 256),
    },
    cache: {
      max: seconds('/token/cache/max', options.token?.cache?.max, 10_000, 1),
      ttl: seconds('/token/cache/ttl', options.token?.cache?.ttl, 60),
    },
    scopes: options.scopes ?? [],
    realm: options.challenge?.realm,
    resourceMetadata: options.challenge?.resourceMetadata ?? true,
    cors: options.cors ?? false,
    crypto: options.crypto ?? 'sync',
    now,
  }
  if (settings.proof.futureSkew > 60)
    wrong('/proof/futureSkew', 'is more than 60 seconds', 'FAPI 2.0 §5.3.2.1-13 allows 10 to 60.')
  if (problems.length > 0) throw new ConfigurationError(problems)
  return settings
}

const known: Readonly<Record<string, true>> = Object.fromEntries(
  [
    'issuer',
    'audience',
    'publicUrl',
    'trustProxy',
    'mode',
    'profile',
    'proof',
    'token',
    'jwks',
    'scopes',
    'challenge',
    'cors',
    'crypto',
    'onEvent',
    'now',
  ].map((name) => [name, true]),
)

function refuseUnknown(
  options: VerifierOptions,
  wrong: (pointer: string, problem: string, remedy: string) => void,
): void {
  for (const name of Object.keys(options))
    if (!Object.hasOwn(known, name)) wrong(`/${name}`, 'is not a known option', 'Check its spelling.')
}

function keySetOf(issuer: string, jwksUri: string | undefined, timeout: number) {
  const configured = jwksUri === undefined ? undefined : new URL(jwksUri)
  let address = configured
  return async (): Promise<Record<string, unknown>> => {
    address ??= (await discoverIssuer(issuer, exchangeJson, timeout)).jwksUri
    if (address === undefined) throw new UpstreamError('invalid_response', `${issuer} names no usable jwks_uri`)
    try {
      return await exchangeJson(address, { timeout, maxBytes: 1_048_576 })
    } catch (error) {
      // The issuer may have moved its keys: the next try asks for their address again.
      address = configured
      throw error
    }
  }
}

function isSecure(url: string): boolean {
  return URL.canParse(url) && isSecureUrl(new URL(url))
}

function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value as Item]
}
