import type {
  AuthenticatedUser,
  AuthorizationServerOptions,
  Lifetimes,
  SignInLimits,
  SigningKeyOptions,
} from './options.js'

/**
 * What holds where an option is left out, in the units of the options. The configuration's schema reads it, and the
 * documentation is compared with it.
 */
export const authorizationServerDefaults = {
  dpopNonces: 'required',
  requireSignedRequests: false,
  requireSignedResponses: false,
} as const satisfies Partial<AuthorizationServerOptions>

export const lifetimeDefaults = {
  code: 60,
  requestUri: 60,
  interaction: 900,
  accessToken: 600,
  idToken: 600,
  refreshToken: 1_209_600,
  session: 28_800,
  consent: 7_776_000,
} as const satisfies Required<Lifetimes>

export const signingKeyDefaults = {
  algorithms: ['ES256', 'PS256'],
  lifetime: 7_776_000,
  publishBefore: 86_400,
  refreshInterval: 60,
} as const satisfies Required<Omit<SigningKeyOptions, 'source'>>

export const authenticatedUserDefaults = { amr: ['pwd'] } as const satisfies Partial<AuthenticatedUser>

/** Seconds that a client's proof or assertion may be ahead of our clock. FAPI 2.0 §5.3.2.1-13 allows 10 to 60. */
export const futureSkew = 30

/** Seconds that a signed authorization response may take to the client: longer than its code lives, by what clocks differ. */
export const signedResponseLifetime = 120

export const signInLimitDefaults = {
  perUserAndAddress: 5,
  perUser: 50,
  perAddress: 100,
  window: 900,
} as const satisfies Required<SignInLimits>
