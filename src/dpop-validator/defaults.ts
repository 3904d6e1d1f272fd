import { proofLimits } from '../dpop/checks.js'
import type {
  ChallengeOptions,
  IntrospectionOptions,
  JwksOptions,
  NonceOptions,
  ProofOptions,
  TokenCacheOptions,
  TokenOptions,
  VerifierOptions,
} from './options.js'

/** What holds where an option is left out, in the units of the options. The documentation is compared with it. */
export const verifierDefaults = {
  mode: 'dpop',
  profile: 'fapi2',
  nonce: false,
  replay: 'memory',
  replayCapacity: 1_000_000,
  onReplayStoreError: 'deny',
  scopes: [],
  cors: false,
  crypto: 'sync',
} as const satisfies Partial<VerifierOptions>

/** `algs` are those of the profile. */
export const proofDefaults = proofLimits satisfies Required<Omit<ProofOptions, 'algs'>>

export const nonceDefaults = { step: 60, perKey: true, when: 'always' } as const satisfies Required<
  Omit<NonceOptions, 'secret'>
>

export const tokenDefaults = { clockSkew: 5, maxLength: 16_384 } as const satisfies Required<
  Omit<TokenOptions, 'cache' | 'decrypt'>
>

export const tokenCacheDefaults = { max: 10_000, ttl: 60 } as const satisfies Required<TokenCacheOptions>

export const jwksDefaults = {
  timeout: 3,
  maxAge: 600,
  maxStale: 86_400,
  cooldown: 30,
  burst: 2,
} as const satisfies Required<JwksOptions>

export const introspectionDefaults = {
  tokens: 'opaque',
  audience: 'required',
  signed: false,
  cache: 10,
} as const satisfies Partial<IntrospectionOptions>

export const challengeDefaults = { resourceMetadata: true } as const satisfies Partial<ChallengeOptions>
