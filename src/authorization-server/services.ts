import { createNonces } from '../dpop/nonce.js'
import { createProofVerifier } from '../dpop/verifier.js'
import { createFailureLimit } from '../http/limits/network-limit.js'
import { createTrustedPeers } from '../http/trusted-peers.js'
import { createResilientCounts } from '../store/resilient-counts.js'
import { publish } from '../telemetry/events.js'
import { checkOptions } from './check-options.js'
import { createClientAuthentication } from './client/authentication.js'
import { createProofOfPossession } from './client/proof-of-possession.js'
import { createFirstUse } from './client/replay.js'
import { authorizationServerDefaults, futureSkew, signingKeyDefaults } from './defaults.js'
import { endpointUrls, issuerIdentifier } from './endpoint-urls.js'
import { createPushedRequests } from './endpoints/pushed-authorization-request.js'
import { createAuthorizationPages } from './interaction/authorization-pages.js'
import { createAuthorizationResponse } from './interaction/authorization-response.js'
import { createConsents } from './interaction/consents.js'
import { createInteractions } from './interaction/interaction.js'
import type { AuthorizationServerOptions } from './options.js'
import { createPageResponse } from './pages/page-response.js'
import { completeLifetimes, completeRotation } from './settings.js'
import { createBackchannelLogout } from './sign-in/backchannel-logout.js'
import { createSecretCookie } from './sign-in/cookies.js'
import { createSignIn } from './sign-in/sign-in.js'
import { createSignInLimit } from './sign-in/sign-in-limit.js'
import { createSignInSessions } from './sign-in/sign-in-session.js'
import { createSessionEnd } from './sign-in/sign-out.js'
import { createUserDirectory } from './sign-in/users.js'
import { createAccessTokens } from './tokens/access-token.js'
import { createAuthorizationCodes } from './tokens/authorization-code.js'
import { createGrants } from './tokens/grant.js'
import { createIdTokens } from './tokens/id-token.js'
import { createStoreKeySource } from './tokens/key-source.js'
import { createRefreshTokens } from './tokens/refresh-token.js'
import { createResources } from './tokens/resources.js'
import { createSigningKeys } from './tokens/signing-keys.js'

/** Everything the endpoints are made of. Each endpoint's options name the few of them that it needs. */
export async function assemble(options: AuthorizationServerOptions) {
  checkOptions(options)
  const {
    store,
    seal,
    now = () => Date.now() / 1000,
    signingKeys = {},
    dpopNonces = authorizationServerDefaults.dpopNonces,
    scopes = [],
  } = options
  const issuer = issuerIdentifier(options.issuer)
  const lifetimes = completeLifetimes(options.lifetimes)
  const clients = new Map(options.clients.map((client) => [client.clientId, client]))
  const { algorithms = signingKeyDefaults.algorithms } = signingKeys
  const [algorithm = signingKeyDefaults.algorithms[0]] = algorithms

  const users = await createUserDirectory({
    users: options.users ?? [],
    verifyUser: options.verifyUser,
    findUser: options.findUser,
  })
  const keys = await createSigningKeys({
    source: signingKeys.source ?? createStoreKeySource(store, seal, now),
    algorithms,
    ...completeRotation(signingKeys),
    // An ID token comes back as a hint as long as the session lasts.
    retention: Math.max(lifetimes.accessToken, lifetimes.idToken, lifetimes.session),
    now,
  })

  const firstUse = createFirstUse(store)
  const count = createResilientCounts(store, now)
  const nonces = dpopNonces === 'off' ? undefined : createNonces({ secret: keys.nonceSecret, now })
  const grants = createGrants(store, seal)
  const sessionCookie = createSecretCookie('session', issuer)
  const sessions = createSignInSessions({ store, seal, cookie: sessionCookie, lifetime: lifetimes.session, now })
  const browserCookie = createSecretCookie('browser', issuer)
  const urls = endpointUrls(options.issuer)
  const response = createPageResponse(options.branding)
  const scopeNames = new Map(
    scopes.flatMap(({ name, displayName }) => (displayName === undefined ? [] : [[name, displayName] as const])),
  )
  const pushedRequests = createPushedRequests(store, seal)
  const interactions = createInteractions({
    clients,
    pushedRequests,
    browserCookie,
    lifetime: lifetimes.interaction,
    now,
  })
  const codes = createAuthorizationCodes({
    store,
    seal,
    grants,
    lifetime: lifetimes.code,
    memory: lifetimes.accessToken,
    now,
  })
  const backchannelLogout = createBackchannelLogout({ issuer, clients, keys, defaultAlgorithm: algorithm, now })

  return {
    issuer,
    urls,
    clients,
    scopes,
    algorithms,
    lifetimes,
    now,
    keys,
    nonces,
    users,
    grants,
    sessions,
    authenticateClient: createClientAuthentication({ clients, issuer, firstUse, now }),
    provePossession: createProofOfPossession({
      verifyProof: createProofVerifier({ now, futureSkew }),
      nonces,
      firstUse,
    }),
    pushedRequests,
    interactions,
    codes,
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
    resources: createResources(scopes, options.audience ?? issuer),
    consents: createConsents({ store, seal, lifetime: lifetimes.consent, now }),
    browserCookie,
    authorizationPages: createAuthorizationPages({ urls, browserCookie, interactions, response, scopeNames }),
    authorizationResponse: createAuthorizationResponse({
      issuer,
      interactions,
      sessions,
      grants,
      codes,
      lifetimes,
      now,
    }),
    signIn: createSignIn({
      users,
      limit: createSignInLimit(options.signInLimits, count, (username) => seal.blindIndexes(`sign-in ${username}`)[0]),
      clientIds: new Set(clients.keys()),
    }),
    // Of requests whose client did not prove who it is. A client with a wrong key tries again and again, hence the hundreds.
    clientLimit: createFailureLimit({
      name: 'client',
      room: 300,
      store,
      count,
      onRefused: (network, refused) => publish({ type: 'as.network.limited', limit: 'client', network, refused }),
    }),
    sessionEnd: createSessionEnd(sessions, backchannelLogout),
    isTrustedPeer: createTrustedPeers(options.trustedProxies ?? []),
    response,
    async close() {
      keys.close()
      await backchannelLogout.close()
    },
  }
}
