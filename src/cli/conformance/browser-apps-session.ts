import { breach, eachFrontend, hasClientSecret, noGateway, ofGateway, type Requirement } from './requirement.js'

/** §6.1.2 to §6.1.3.2 of OAuth 2.0 for Browser-Based Applications: the session of a backend for frontend, and its cookies. */
export const sessionRequirements: readonly Requirement[] = [
  {
    section: '6.1.2.1',
    level: 'should',
    requirement: 'The page can ask whether there is a session; logins begin by a navigation; there is a logout.',
    tests: ['gateway/browser', 'gateway/endpoints/endpoint-paths', 'gateway/endpoints/login'],
    assess: ofGateway('bff/user, bff/login, bff/logout. Tokens are in none of their answers.'),
  },
  {
    section: '6.1.2.2',
    level: 'should',
    requirement: 'Tokens are refreshed behind the page, and a session lives no longer than its refresh token.',
    tests: ['gateway/tokens/refresh', 'gateway/session/session-lifetime'],
    assess: ({ frontends }) =>
      frontends.length === 0
        ? noGateway
        : {
            status: 'met',
            how: `A session ends after ${[...new Set(frontends.map(({ options }) => hours(options.session.absolute)))].join(' or ')}, with the server’s session, or when its refresh token is refused, whichever comes first.`,
            pointers: ['/Bff/SessionAbsoluteMaxDuration'],
          },
  },
  {
    section: '6.1.3.1',
    level: 'shall',
    requirement: 'The gateway is a confidential client.',
    tests: ['config/rules', 'conformance/client/gateway'],
    trials: /: pushed authorization request$/,
    assess: eachFrontend(
      'It has a key, or a certificate.',
      ({ options, pointer }) =>
        breach(
          hasClientSecret(options),
          `${pointer}/ClientAuthenticationMethod`,
          'It has a secret: confidential, and weaker than a key.',
        ),
      'operator',
    ),
  },
  {
    section: '6.1.3.1',
    level: 'shall',
    requirement: 'The authorization code grant as in RFC 9700 §2.1.1: PKCE, exact redirect URIs, no mix-up.',
    tests: ['conformance/client/gateway', 'attacks/issuer-mix-up'],
    trials: /: metadata$/,
    assess: eachFrontend('With PKCE S256, one redirect URI per frontend, and iss.', ({ options }) =>
      breach(
        !options.requireIssuer,
        '/Bff/RequireIssuerValidation',
        'RequireIssuerValidation is false: one defence against mix-up is missing.',
      ),
    ),
  },
  {
    section: '6.1.3.2',
    level: 'shall',
    requirement: 'Cookies are Secure and HttpOnly.',
    tests: ['http/cookie', 'flows/browser-walk', 'flows/browser-engines'],
    assess: eachFrontend('Both, on every cookie.', ({ options, pointer }) =>
      breach(
        options.publicUrl.protocol === 'http:',
        `${pointer}/PublicUrl`,
        'HttpOnly. Over plain http on localhost they are not Secure, since Safari keeps no such cookie there.',
      ),
    ),
  },
  {
    section: '6.1.3.2',
    level: 'should',
    requirement: 'Cookies are SameSite=Strict, for one host, with Path=/ and a prefix that proves it.',
    tests: ['http/cookie', 'gateway/frontend/embedding', 'attacks/framed-session'],
    assess: eachFrontend(
      '__Host-Http-, SameSite=Strict, Path=/, no Domain. The cookie of a login that is under way is Lax: it comes back from another site.',
      ({ options, pointer }) => [
        ...breach(
          options.embedding !== undefined,
          `${pointer}/Embedding`,
          'Embedding: the cookie is SameSite=None and partitioned, with defences of its own.',
        ),
        ...breach(
          options.publicUrl.protocol === 'http:',
          `${pointer}/PublicUrl`,
          'Over plain http a prefix is not possible.',
        ),
      ],
    ),
  },
  {
    section: '6.1.3.2',
    level: 'should',
    requirement: 'What tokens a cookie holds is encrypted.',
    tests: ['store/seal', 'store/sealed-store', 'attacks/leaked-secret'],
    assess: ofGateway(
      'Cookies hold none. In the store they are sealed under a key of which the browser holds one half.',
    ),
  },
]

function hours(seconds: number): string {
  const whole = seconds / 3600
  return whole === 1 ? '1 hour' : `${Number.isInteger(whole) ? whole : whole.toFixed(1)} hours`
}
