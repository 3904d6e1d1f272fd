import { createTrustedPeers } from '../http/trusted-peers.js'
import { createResilientCounts } from '../store/resilient-counts.js'
import type { Store } from '../store/store.js'
import { checkOptions } from './check-options.js'
import { createClientServices } from './client/client-services.js'
import { authorizationServerDefaults, signingKeyDefaults } from './defaults.js'
import { endpointUrls, issuerIdentifier } from './endpoint-urls.js'
import { createPushedRequests } from './endpoints/pushed-authorization-request.js'
import { createAuthorizationPages } from './interaction/authorization-pages.js'
import { createAuthorizationResponse } from './interaction/authorization-response.js'
import { createConsents } from './interaction/consents.js'
import { createInteractions } from './interaction/interaction.js'
import { createResponseLocation } from './interaction/response-location.js'
import type { AuthorizationServerOptions } from './options.js'
import { createPageResponse } from './pages/page-response.js'
import { completeLifetimes, completeRotation } from './settings.js'
import { createBackchannelLogout } from './sign-in/backchannel-logout.js'
import { createSecretCookie } from './sign-in/cookies.js'
import { createSignIn } from './sign-in/sign-in.js'
import { createSignInLimit } from './sign-in/sign-in-limit.js'
import { createSignInSessions } from './sign-in/sign-in-session.js'
import { createSessionEnd } from './sign-in/sign-out.js'
import { createUserDirectory, type UserDirectory } from './sign-in/users.js'
import { createAccessTokens } from './tokens/access-token.js'
import { createAuthorizationCodes } from './tokens/authorization-code.js'
import { createAuthorizationDetails } from './tokens/authorization-details.js'
import { createGrants } from './tokens/grant.js'
import { createIdTokens } from './tokens/id-token.js'
import { createStoreKeySource } from './tokens/key-source.js'
import { createRefreshTokens } from './tokens/refresh-token.js'
import { createResources } from './tokens/resources.js'
import { createSignedMessages } from './tokens/signed-messages.js'
import { createSigningKeys, type SigningKeys } from './tokens/signing-keys.js'

/** Everything the endpoints are made of. Each endpoint's options name the few of them that it needs. */
export async function assemble(options: AuthorizationServerOptions) {
  checkOptions(options)
  const settings = settingsOf(options)
  const users = await createUserDirectory({
    users: options.users ?? [],
    verifyUser: options.verifyUser,
    findUser: options.findUser,
  })
  const keys = await signingKeysOf(settings)
  const tokens = tokensOf(settings, keys)
  const count = createResilientCounts(settings.store, settings.now)
  const signIn = signInOf(settings, keys, users, count)
  const isTrustedPeer = createTrustedPeers(options.trustedProxies ?? [])
  return {
    ...settings,
    keys,
    users,
    ...tokens,
    ...createClientServices({ ...settings, count, secret: keys.nonceSecret, isTrustedPeer }),
    ...signIn,
    ...interactionOf(settings, tokens, signIn),
    isTrustedPeer,
    async close() {
      keys.close()
      await signIn.backchannelLogout.close()
    },
  }
}

/** What the options say, with what they leave out. */
function settingsOf(options: AuthorizationServerOptions) {
  const { now = () => Date.now() / 1000, signingKeys = {}, scopes = [], audience } = options
  const { dpopNonces = authorizationServerDefaults.dpopNonces, store, seal, branding, signInLimits } = options
  const { requireSignedRequests = authorizationServerDefaults.requireSignedRequests } = options
  const { authorizationDetailTypes = [], mutualTls } = options
  const { requireSignedResponses = authorizationServerDefaults.requireSignedResponses } = options
  const { algorithms = signingKeyDefaults.algorithms } = signingKeys
  const [algorithm = signingKeyDefaults.algorithms[0]] = algorithms
  const issuer = issuerIdentifier(options.issuer)
  return {
    issuer,
    urls: endpointUrls(options.issuer),
    store,
    seal,
    clients: new Map(
      options.clients.map((client) => [client.clientId, { requireSignedRequests, requireSignedResponses, ...client }]),
    ),
    requireSignedRequests,
    authorizationDetailTypes,
    mutualTls,
    scopes,
    audience: audience ?? issuer,
    signingKeys,
    algorithms,
    /** Of access tokens, and of ID tokens where the client does not say so. */
    algorithm,
    lifetimes: completeLifetimes(options.lifetimes),
    dpopNonces,
    branding,
    signInLimits,
    now,
  }
}

type Settings = ReturnType<typeof settingsOf>

function signingKeysOf({ store, seal, signingKeys, algorithms, lifetimes, now }: Settings): Promise<SigningKeys> {
  return createSigningKeys({
    source: signingKeys.source ?? createStoreKeySource(store, seal, now),
    algorithms,
    ...completeRotation(signingKeys),
    // An ID token comes back as a hint as long as the session lasts.
    retention: Math.max(lifetimes.accessToken, lifetimes.idToken, lifetimes.session),
    now,
  })
}

/** What is issued, and what it is issued for. */
function tokensOf(settings: Settings, keys: SigningKeys) {
  const { issuer, store, seal, scopes, audience, algorithm, lifetimes, now } = settings
  const grants = createGrants(store, seal)
  return {
    grants,
    codes: createAuthorizationCodes({
      store,
      seal,
      grants,
      lifetime: lifetimes.code,
      memory: lifetimes.accessToken,
      now,
    }),
    accessTokens: createAccessTokens({
      issuer,
      keys,
      algorithm,
      grants,
      store,
      lifetime: lifetimes.accessToken,
      now,
    }),
    idTokens: createIdTokens({ issuer, keys, defaultAlgorithm: algorithm, lifetime: lifetimes.idToken, now }),
    refreshTokens: createRefreshTokens(store, seal),
    resources: createResources(scopes, audience),
    authorizationDetails: createAuthorizationDetails(settings.authorizationDetailTypes),
    signedMessages: createSignedMessages({ issuer, keys, defaultAlgorithm: algorithm, now }),
  }
}

type Tokens = ReturnType<typeof tokensOf>

/** Who the user is, for how long, and how that ends. */
function signInOf(settings: Settings, keys: SigningKeys, users: UserDirectory, count: Store['count']) {
  const { issuer, store, seal, clients, algorithm, lifetimes, signInLimits, now } = settings
  const cookie = createSecretCookie('session', issuer)
  const sessions = createSignInSessions({ store, seal, cookie, lifetime: lifetimes.session, now })
  const backchannelLogout = createBackchannelLogout({
    issuer,
    store,
    seal,
    clients,
    keys,
    defaultAlgorithm: algorithm,
    now,
  })
  return {
    sessions,
    backchannelLogout,
    sessionEnd: createSessionEnd(sessions, backchannelLogout),
    signIn: createSignIn({
      users,
      limit: createSignInLimit(signInLimits, count, (username) => seal.blindIndexes(`sign-in ${username}`)[0]),
      clientIds: new Set(clients.keys()),
    }),
  }
}

type SignInServices = ReturnType<typeof signInOf>

/** From a pushed request to the answer for the client, by way of the user. */
function interactionOf(settings: Settings, tokens: Tokens, { sessions }: SignInServices) {
  const { grants, codes, signedMessages, authorizationDetails } = tokens
  const { issuer, urls, store, seal, clients, scopes, lifetimes, branding, now } = settings
  const browserCookie = createSecretCookie('browser', issuer)
  const response = createPageResponse(branding)
  const pushedRequests = createPushedRequests(store, seal)
  const interactions = createInteractions({
    clients,
    pushedRequests,
    browserCookie,
    lifetime: lifetimes.interaction,
    now,
  })
  const responseLocation = createResponseLocation(issuer, signedMessages)
  const scopeNames = new Map(
    scopes.flatMap(({ name, displayName }) => (displayName === undefined ? [] : [[name, displayName] as const])),
  )
  return {
    browserCookie,
    response,
    pushedRequests,
    interactions,
    consents: createConsents({ store, seal, lifetime: lifetimes.consent, now }),
    authorizationPages: createAuthorizationPages({
      urls,
      browserCookie,
      interactions,
      response,
      scopeNames,
      authorizationDetails,
    }),
    responseLocation,
    authorizationResponse: createAuthorizationResponse({
      responseLocation,
      interactions,
      sessions,
      grants,
      codes,
      lifetimes,
      now,
    }),
  }
}
