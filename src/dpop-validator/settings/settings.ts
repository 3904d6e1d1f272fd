import { ConfigurationError } from '../../errors.js'
import { type HttpProxyOptions, isProxyException, isProxyOrigin } from '../../http/outgoing-proxy.js'
import { fapiAlgorithms, isJwsAlgorithm, type JwsAlgorithm, jwsAlgorithms } from '../../jose/algorithm.js'
import {
  challengeDefaults,
  jwksDefaults,
  proofDefaults,
  tokenCacheDefaults,
  tokenDefaults,
  verifierDefaults,
} from '../defaults.js'
import type { ProofOptions, VerifierOptions } from '../options.js'
import type { NoncePolicyOptions } from '../proof/nonce-policy.js'
import { isClusterWorker } from '../proof/replay-cluster-worker.js'
import { requireWellFormed } from '../request/requirements.js'
import { createTokenDecryption, type DecryptToken } from '../token/encrypted-token.js'
import type { ProfileName } from '../token/token-profile.js'
import { type IssuerSettings, issuerSettings, isText, listOf, profileNames } from './issuer-settings.js'
import { nonceSettings } from './nonce-settings.js'
import { createOptionChecks, type OptionChecks } from './option-checks.js'

/** The options, complete and checked: no request looks at them twice. */
export interface Settings {
  readonly issuers: readonly IssuerSettings[]
  readonly publicUrls: readonly string[]
  readonly mode: NonNullable<VerifierOptions['mode']>
  readonly algorithms: readonly JwsAlgorithm[]
  readonly proof: Required<Omit<ProofOptions, 'algs'>>
  readonly nonce: NoncePolicyOptions | undefined
  readonly replay: NonNullable<VerifierOptions['replay']>
  readonly replayCapacity: number
  readonly onReplayStoreError: NonNullable<VerifierOptions['onReplayStoreError']>
  readonly token: { readonly clockSkew: number; readonly maxLength: number; readonly max: number; readonly ttl: number }
  readonly decrypt: DecryptToken | undefined
  readonly httpProxy: HttpProxyOptions | undefined
  readonly jwks: Required<NonNullable<VerifierOptions['jwks']>>
  readonly scopes: readonly string[]
  /** Resource identifier (RFC 9728 §1.2); undefined: no metadata. */
  readonly resource: string | undefined
  readonly realm: string | undefined
  readonly cors: boolean
  readonly crypto: NonNullable<VerifierOptions['crypto']>
  readonly now: () => number
}

const known: readonly (keyof VerifierOptions)[] = [
  ...['issuer', 'audience', 'publicUrl', 'mode', 'profile', 'proof', 'nonce', 'replay', 'replayCapacity'],
  ...[
    'onReplayStoreError',
    'token',
    'isRevoked',
    'jwks',
    'ca',
    'httpProxy',
    'scopes',
    'resource',
    'challenge',
    'cors',
    'crypto',
  ],
  ...['onEvent', 'now'],
] as (keyof VerifierOptions)[]

/** @throws ConfigurationError with everything that is wrong at once */
export function createSettings(options: VerifierOptions): Settings {
  const checks = createOptionChecks()
  const { now = () => Date.now() / 1000, scopes = verifierDefaults.scopes, cors = verifierDefaults.cors } = options
  checks.known('', options, known)
  checks.known('/resource', options.resource ?? {}, ['name', 'documentation', 'scopes'])

  const profile = checks.choice('/profile', options.profile, profileNames, verifierDefaults.profile)
  const audiences = listOf(options.audience)
  if (audiences.length === 0 || !audiences.every(isText))
    checks.wrong(
      '/audience',
      'is missing',
      'Name this API as aud of its access tokens does, such as https://api.example.com.',
    )
  const issuers = issuerSettings(options.issuer, { audiences, profile, ca: options.ca }, checks)
  const publicUrls = publicUrlsOf(options, checks)
  checks.usable('/scopes', 'Write scopes as they are in tokens.', () => requireWellFormed({ scopes }))
  const proof = proofSettings(options, checks)
  const settings = {
    issuers,
    publicUrls,
    mode: checks.choice('/mode', options.mode, ['dpop', 'mixed', 'bearer', 'any-bound'], verifierDefaults.mode),
    algorithms: proofAlgorithms(options.proof?.algs, profile, checks),
    proof,
    nonce: nonceSettings(options.nonce, proof.maxAge, now, checks),
    ...replaySettings(options, checks),
    httpProxy: httpProxyOf(options, checks),
    token: tokenSettings(options, checks),
    jwks: checks.numbers('/jwks', options.jwks, jwksDefaults, {
      timeout: [0.01, 60],
      maxAge: [1, 1e9],
      maxStale: [1, 1e9],
      cooldown: [1, 1e9],
      burst: [1, 1e9],
    }),
    scopes,
    cors,
    crypto: checks.choice('/crypto', options.crypto, ['sync', 'pool'], verifierDefaults.crypto),
    now,
  }
  const { realm, resourceMetadata } = challengeSettings(options, checks)
  const { decrypt } = options.token ?? {}
  if (decrypt !== undefined)
    checks.usable('/token/decrypt', 'Give it a private key.', () => createTokenDecryption(decrypt))
  if (checks.problems.length > 0) throw new ConfigurationError(checks.problems)
  return {
    ...settings,
    realm,
    resource: resourceMetadata ? resourceIdentifier(publicUrls, audiences) : undefined,
    decrypt: decrypt && createTokenDecryption(decrypt),
  }
}

function publicUrlsOf({ publicUrl }: VerifierOptions, checks: OptionChecks): readonly string[] {
  const publicUrls = listOf(publicUrl)
  if (publicUrls.length === 0)
    checks.wrong('/publicUrl', 'is missing', 'Write what clients call this API by, such as https://api.example.com.')
  for (const [index, url] of publicUrls.entries())
    if (!isText(url) || !URL.canParse(url) || !/^https?:\/\/[^?#@\\]+$/i.test(url))
      checks.wrong(`/publicUrl/${index}`, 'is not an http or https URL', 'Write what clients call this API by.')
  return publicUrls
}

function httpProxyOf({ httpProxy }: VerifierOptions, checks: OptionChecks): HttpProxyOptions | undefined {
  if (httpProxy === undefined) return undefined
  checks.known('/httpProxy', httpProxy, ['url', 'noProxy'])
  const { url, noProxy = [] } = httpProxy
  // It may hold a password: it is in no message.
  if (!isText(url) || !isProxyOrigin(url))
    checks.wrong(
      '/httpProxy/url',
      'is not the origin of an HTTP proxy',
      'Write it as in http://proxy.example.com:3128.',
    )
  for (const [index, host] of listOf(noProxy).entries())
    if (!isText(host) || !isProxyException(host))
      checks.wrong(`/httpProxy/noProxy/${index}`, 'is not a host', 'Write a name or an address, without a scheme.')
  return { url, noProxy: listOf(noProxy) }
}

function proofSettings({ proof }: VerifierOptions, checks: OptionChecks): Settings['proof'] {
  return checks.numbers(
    '/proof',
    proof,
    proofDefaults,
    {
      maxAge: [1, 3600],
      // FAPI 2.0 §5.3.2.1-13: 10 must pass, more than 60 must not.
      futureSkew: [0, 60],
      maxLength: [256, 65_536],
      maxJti: [16, 1024],
    },
    ['algs'],
  )
}

function tokenSettings({ token }: VerifierOptions, checks: OptionChecks): Settings['token'] {
  return {
    ...checks.numbers('/token', token, tokenDefaults, { clockSkew: [0, 300], maxLength: [256, 1_048_576] }, [
      'cache',
      'decrypt',
    ]),
    ...checks.numbers('/token/cache', token?.cache, tokenCacheDefaults, { max: [1, 1e9], ttl: [0, 3600] }),
  }
}

function replaySettings({ replay = verifierDefaults.replay, ...options }: VerifierOptions, checks: OptionChecks) {
  if (typeof replay === 'string')
    checks.choice('/replay', replay, ['memory', 'memory-per-process', 'cluster'], verifierDefaults.replay)
  if (replay === 'memory' && isClusterWorker())
    checks.wrong(
      '/replay',
      'is the memory of one of several workers',
      'Write cluster, or a store, or memory-per-process if that is meant.',
    )
  const { onReplayStoreError, replayCapacity } = verifierDefaults
  return {
    replay,
    replayCapacity: checks.number('/replayCapacity', options.replayCapacity, replayCapacity, [1, 1e9]),
    onReplayStoreError: checks.choice(
      '/onReplayStoreError',
      options.onReplayStoreError,
      ['deny', 'local'],
      onReplayStoreError,
    ),
  }
}

function challengeSettings({ challenge = {} }: VerifierOptions, checks: OptionChecks) {
  checks.known('/challenge', challenge, ['realm', 'resourceMetadata'])
  const { realm, resourceMetadata = challengeDefaults.resourceMetadata } = challenge
  if (realm !== undefined && !/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/.test(realm))
    checks.wrong('/challenge/realm', 'has characters that a header cannot carry', 'Use ASCII without quotes.')
  return { realm, resourceMetadata }
}

/** Both names of the Ed25519 one, whichever was written. */
function proofAlgorithms(
  algs: readonly JwsAlgorithm[] | undefined,
  profile: ProfileName,
  checks: OptionChecks,
): readonly JwsAlgorithm[] {
  if (algs === undefined) return profile === 'rfc9449' ? jwsAlgorithms : fapiAlgorithms
  if (algs.length === 0 || !algs.every(isJwsAlgorithm))
    checks.wrong('/proof/algs', 'has an unknown name, or none', `Use ${jwsAlgorithms.join(', ')}.`)
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
