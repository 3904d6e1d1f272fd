import { breach, eachFrontend, hasClientSecret, noGateway, ofGateway, type Requirement } from './requirement.js'

/** §6.1.1 and §6.1.3.3 to §6.1.4.1 of OAuth 2.0 for Browser-Based Applications: calls that pass, and the page. */
export const callRequirements: readonly Requirement[] = [
  {
    section: '6.1.3.3',
    level: 'shall',
    requirement: 'Calls with the cookie are protected from CSRF, also from pages of the same site.',
    tests: ['attacks/missing-anti-forgery', 'attacks/foreign-reads', 'gateway/frontend/frontend'],
    assess: ofGateway('Sec-Fetch-Site and Origin of every call, and X-CSRF: 1 on each that changes something.'),
  },
  {
    section: '6.1.3.3.2',
    level: 'should',
    requirement: 'A header of the page’s own is demanded, on every call, where CORS is the defence.',
    tests: ['attacks/missing-anti-forgery', 'attacks/foreign-reads'],
    assess: ({ frontends }) => {
      if (frontends.length === 0) return noGateway
      const open = frontends.flatMap(({ pointer, options }) =>
        options.routes.flatMap(({ tokenType, requireCsrfHeader }, index) =>
          tokenType === 'None' && requireCsrfHeader !== true ? [`${pointer}/Routes/${index}`] : [],
        ),
      )
      return {
        status: 'met',
        how: `GET and HEAD pass without it where the browser says that a page of the same origin asks.${open.length > 0 ? ' Routes with TokenType "None" carry nothing of the user’s, and do not ask for it.' : ''}`,
        ...(open.length > 0 && { pointers: open }),
      }
    },
  },
  {
    section: '6.1.3.3.2',
    level: 'should',
    requirement: 'CORS permits no origin but those of the application.',
    tests: ['gateway/frontend/frontend', 'attacks/foreign-reads'],
    assess: eachFrontend(
      'No other origin than the gateway’s own.',
      ({ options, pointer }) => {
        const origins = options.cors?.origins ?? (options.clientUrl === undefined ? [] : [options.clientUrl.origin])
        return breach(
          origins.length > 0,
          `${pointer}/${options.cors === undefined ? 'ClientUrl' : 'Cors'}`,
          `Pages of ${origins.join(', ')} may call with the cookie: see to what runs there.`,
        )
      },
      'operator',
    ),
  },
  {
    section: '6.1.3.4',
    level: 'should',
    requirement: 'Users know who sees their traffic.',
    tests: [],
    duty: 'The gateway sees every call: say so where a third party runs it.',
    assess: () => ({
      status: 'operator',
      how: 'Log lines have no token, cookie, query or body.',
      pointers: ['/Server/AccessLog'],
    }),
  },
  {
    section: '6.1.3.5',
    level: 'should',
    requirement: 'What one client may do is limited here, since APIs see the gateway’s address only.',
    tests: ['gateway/limits/rate-limits', 'attacks/network-limits'],
    assess: eachFrontend(
      'RateLimits of frontends or routes, besides the limits of logins, connections and streams.',
      ({ options, pointer }) =>
        options.routes.flatMap((route, index) =>
          breach(
            (options.rateLimits ?? []).length + (route.rateLimits ?? []).length === 0,
            `${pointer}/Routes/${index}/RateLimits`,
            'Logins, connections and streams are limited; some routes have no RateLimits.',
          ),
        ),
      'operator',
    ),
  },
  {
    section: '6.1.3.6',
    level: 'shall',
    requirement: 'Calls go to hosts and paths of a list only, whatever a request says.',
    tests: ['attacks/ssrf', 'attacks/path-confusion', 'attacks/forwarded-path'],
    trials: /^upstream /,
    assess: ({ frontends }) => {
      if (frontends.length === 0) return noGateway
      const upstreams = new Set(
        frontends.flatMap(({ options }) =>
          options.routes.flatMap((route) => route.upstreams.map(({ origin }) => origin)),
        ),
      )
      return {
        status: 'met',
        how: `To ${upstreams.size === 0 ? 'none' : [...upstreams].join(', ')}, as the configuration says; a path that could be read in two ways is refused.`,
      }
    },
  },
  {
    section: '6.1.3.6',
    level: 'should',
    requirement: 'Methods are limited for each path.',
    tests: ['gateway/forwarding/forward'],
    assess: eachFrontend(
      'Each route has its Methods.',
      ({ options, pointer }) =>
        options.routes.flatMap((route, index) =>
          breach(route.methods.length === 0, `${pointer}/Routes/${index}/Methods`, 'Some routes take every method.'),
        ),
      'operator',
    ),
  },
  {
    section: '6.1.1',
    level: 'should',
    requirement: 'The session’s cookie is taken off before a call goes on.',
    tests: ['attacks/session-cookie-forwarded'],
    assess: ofGateway('Every cookie of ours, in any spelling, on every kind of route.'),
  },
  {
    section: '6.1.3.7',
    level: 'should',
    requirement: 'Tokens are bound to a key, and the client authenticates with one.',
    tests: ['flows/wire', 'conformance/client/gateway'],
    assess: eachFrontend('DPoP and private_key_jwt, or mutual TLS.', ({ options, pointer }) => [
      ...breach(
        !options.dpop && options.certificateBoundAccessTokens !== true,
        `${pointer}/UseDPoP`,
        'UseDPoP is false.',
      ),
      ...breach(hasClientSecret(options), `${pointer}/ClientAuthenticationMethod`, 'The client has a secret.'),
    ]),
  },
  {
    section: '6.1.4.1',
    level: 'should',
    requirement:
      'Foreign scripts are kept out of the page (Content-Security-Policy): they could act as the user while it is open.',
    tests: ['gateway/page/static-files', 'http/policy-source'],
    duty: 'What your own scripts load and render. A script that gets in can call what the routes let through, as long as the page is open.',
    assess: eachFrontend(
      'The page’s files come with a policy that lets in scripts of its own origin only.',
      ({ options, pointer }) => [
        ...breach(
          options.securityHeaders === 'None' && options.contentSecurityPolicy === undefined,
          `${pointer}/SecurityHeaders`,
          'SecurityHeaders is "None": whatever serves the page has to send a policy.',
        ),
        ...breach(
          options.clientUrl !== undefined,
          `${pointer}/ClientUrl`,
          'The page comes from another host: that has to send a policy.',
        ),
        ...breach(
          options.developmentServer !== undefined,
          `${pointer}/DevelopmentServer`,
          'A development server serves the page.',
        ),
      ],
      'operator',
    ),
  },
]
