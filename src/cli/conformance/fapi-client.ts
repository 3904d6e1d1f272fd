import { issuersOf } from '../../gateway/authorities/authorities.js'
import { mayBeOfClient, mayBeOfUser } from '../../gateway/tokens/token-audience.js'
import { breach, eachFrontend, hasClientKey, hasClientSecret, ofGateway, type Requirement } from './requirement.js'

const pushed = /: pushed authorization request$/
const metadata = /: metadata$/

/** §5.3.3 of the profile: the gateway as a client. */
export const clientRequirements: readonly Requirement[] = [
  {
    section: '5.3.3.1-1',
    level: 'shall',
    requirement: 'Access tokens are bound to a key of the client, by mutual TLS or DPoP.',
    tests: ['conformance/client/gateway', 'gateway/forwarding/nonces', 'flows/wire'],
    trials: metadata,
    assess: eachFrontend(
      'DPoP, with a key of its own for each session, or the certificate of the frontend (SenderConstraint).',
      ({ options, pointer }) =>
        breach(
          !options.dpop && options.certificateBoundAccessTokens !== true,
          `${pointer}/UseDPoP`,
          'UseDPoP is false: who gets hold of a token can use it.',
        ),
    ),
  },
  {
    section: '5.3.3.1-2',
    level: 'shall',
    requirement: 'The client authenticates by mutual TLS or private_key_jwt.',
    tests: ['conformance/client/gateway', 'config/rules'],
    trials: pushed,
    duty: 'Keep client keys where only the gateway reads them.',
    assess: eachFrontend('private_key_jwt, or the certificate of the frontend.', ({ options, pointer }) =>
      breach(
        hasClientSecret(options),
        `${pointer}/ClientAuthenticationMethod`,
        'A client secret, which both sides have.',
      ),
    ),
  },
  {
    section: '5.3.3.1-3',
    level: 'shall',
    requirement: 'Access tokens go to APIs in the Authorization header.',
    tests: ['flows/wire', 'gateway/forwarding/forward'],
    assess: ofGateway('In no other place, and never to a browser.'),
  },
  {
    section: '5.3.3.1-4',
    level: 'shall',
    requirement: 'There are no open redirectors.',
    tests: ['attacks/open-redirect'],
    assess: ofGateway(
      'returnUrl is a path of the frontend, or the login is refused; other targets stand in the configuration.',
    ),
  },
  {
    section: '5.3.3.1-5',
    level: 'shall',
    requirement: 'The audience of client assertions is the issuer identifier, as a text.',
    tests: ['conformance/client/gateway', 'flows/wire'],
    trials: pushed,
    assess: ({ frontends }) =>
      frontends.some(({ options }) => hasClientKey(options))
        ? { status: 'met', how: 'At every endpoint.' }
        : { status: 'absent', how: 'No frontend uses assertions.' },
  },
  {
    section: '5.3.3.1-6',
    level: 'shall',
    requirement: 'Refresh tokens and their rotation are supported.',
    tests: ['gateway/tokens/refresh', 'attacks/wrong-users-token'],
    assess: ofGateway(
      'One refresh per session across all replicas; a new refresh token is kept before the answer is used.',
    ),
  },
  {
    section: '5.3.3.1-7',
    level: 'shall',
    requirement: 'With mutual TLS, mtls_endpoint_aliases are used.',
    tests: ['gateway/oauth/mutual-tls'],
    trials: pushed,
    assess: ({ frontends }) =>
      frontends.some(({ options }) => options.clientCertificate !== undefined)
        ? { status: 'met', how: 'Wherever the server has them.' }
        : { status: 'absent', how: 'No frontend has a certificate.' },
  },
  {
    section: '5.3.3.1-8',
    level: 'shall',
    requirement: 'With DPoP, nonces of servers and APIs are supported.',
    tests: ['gateway/forwarding/nonces', 'conformance/client/gateway'],
    trials: pushed,
    assess: ({ frontends }) =>
      frontends.some(({ options }) => options.dpop)
        ? { status: 'met', how: 'Of both; a call is repeated once, with a new proof.' }
        : { status: 'absent', how: 'No frontend uses DPoP.' },
  },
  {
    section: '5.3.3.1-9, 11',
    level: 'shall',
    requirement: 'Only metadata of the discovery document is used, and its issuer is the configured one.',
    tests: ['conformance/client/gateway', 'attacks/hostile-issuer'],
    trials: /: discovery$/,
    assess: ofGateway('Compared character by character; no endpoint can be configured.'),
  },
  {
    section: '5.3.3.1-10',
    level: 'shall',
    requirement: 'The issuer identifier comes from a source that can be trusted, and cannot be changed on the way.',
    tests: ['config/load'],
    duty: 'Take Authority from the operator of the server, and let only administrators write the configuration.',
    assess: ({ frontends }) => ({
      status: 'operator',
      how: `It is read from the configuration: ${[...new Set(frontends.flatMap(({ options }) => issuersOf(options)))].join(', ') || 'none'}.`,
      pointers: ['/Bff/Authority'],
    }),
  },
  {
    section: '5.3.3.1-12',
    level: 'shall',
    requirement: 'An authorization begins with the will of the user, and its start is protected from CSRF.',
    tests: ['attacks/login-csrf', 'attacks/unmeant-navigation', 'attacks/browser-swap'],
    assess: ofGateway(
      'Logins begin by a navigation of a person; a link from elsewhere asks first, and each login is bound to its browser.',
    ),
  },
  {
    section: '5.3.3.1-13',
    level: 'should',
    requirement: 'No more privileges are asked for than are needed.',
    tests: ['gateway/tokens/least-privilege'],
    duty: 'Only you know which scopes an API needs: sallyport routes --audit lists where there are none.',
    assess: eachFrontend(
      'Each route has scopes or a resource of its own.',
      ({ options, pointer }) =>
        options.routes.flatMap((route, index) =>
          breach(
            (mayBeOfUser(route.tokenType) || mayBeOfClient(route.tokenType)) &&
              route.scopes.length === 0 &&
              route.resource === undefined,
            `${pointer}/Routes/${index}`,
            'Some routes have neither Scopes nor Resource: their tokens have all scopes of the frontend.',
          ),
        ),
      'operator',
    ),
  },
  {
    section: '5.3.3.2-1',
    level: 'shall',
    requirement: 'Users are authorized by the authorization code grant.',
    tests: ['conformance/client/gateway', 'flows/seed'],
    assess: ofGateway('There is no other.'),
  },
  {
    section: '5.3.3.2-2',
    level: 'shall',
    requirement: 'Authorization requests are pushed (RFC 9126).',
    tests: ['conformance/client/gateway', 'gateway/endpoints/login'],
    trials: pushed,
    assess: eachFrontend('Always; a push that fails ends the login.', ({ options, pointer }) =>
      breach(
        !options.pushedAuthorizationRequests,
        `${pointer}/UsePushedAuthorizationRequests`,
        'UsePushedAuthorizationRequests is false: what a login asks for goes through the browser.',
      ),
    ),
  },
  {
    section: '5.3.3.2-3, 4',
    level: 'shall',
    requirement: 'PKCE with S256, a challenge for each request, bound to the client and to the browser that began.',
    tests: ['conformance/client/gateway', 'attacks/browser-swap', 'gateway/endpoints/login-secrets'],
    trials: metadata,
    assess: ofGateway('Verifier, state and nonce are made of a secret that only the cookie of this login has.'),
  },
  {
    section: '5.3.3.2-5',
    level: 'shall',
    requirement: 'iss of the authorization response is checked (RFC 9207).',
    tests: ['attacks/issuer-mix-up', 'conformance/client/gateway'],
    trials: metadata,
    assess: eachFrontend('Checked; a callback without it is refused.', ({ options }) =>
      breach(
        !options.requireIssuer,
        '/Bff/RequireIssuerValidation',
        'RequireIssuerValidation is false: a callback without iss is taken, one with another is not.',
      ),
    ),
  },
  {
    section: '5.3.3.2-6',
    level: 'shall',
    requirement: 'The browser carries only client_id and request_uri to the authorization endpoint.',
    tests: ['gateway/endpoints/login-url', 'conformance/client/gateway'],
    assess: eachFrontend('Nothing else.', ({ options, pointer }) =>
      breach(
        !options.pushedAuthorizationRequests,
        `${pointer}/UsePushedAuthorizationRequests`,
        'Without a push the browser carries all parameters.',
      ),
    ),
  },
  {
    section: '5.3.3.2-7',
    level: 'should',
    requirement: 'nonce has 64 characters at most.',
    tests: ['gateway/endpoints/login-secrets', 'conformance/client/gateway'],
    assess: ofGateway('43 characters.'),
  },
]
