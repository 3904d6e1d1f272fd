import { issuersOf } from '../../gateway/authorities/authorities.js'
import { isLoopback } from '../../http/loopback.js'
import { isSecureUrl } from '../../http/secure-url.js'
import { always, breach, eachFrontend, ofServer, type Requirement, type Subject } from './requirement.js'

const isPlain = (url: URL): boolean => url.protocol === 'http:'

/** Who ends TLS in front of the gateway. */
function ends({ configuration }: Subject): 'here' | 'in front' {
  return configuration.server.tls === undefined ? 'in front' : 'here'
}

/** §5.2 and §5.4 of the profile: TLS, algorithms, keys. */
export const networkRequirements: readonly Requirement[] = [
  {
    section: '5.2.1-1',
    level: 'shall',
    requirement: 'Everything goes over TLS.',
    tests: ['http/secure-url', 'config/rules', 'conformance/full-stack'],
    trials: /: discovery$|^upstream /,
    duty: 'What stands between the proxy that ends TLS and this program is your network.',
    assess: eachFrontend(
      'Browsers, authorization servers and APIs are spoken to over https; http is refused for other hosts than localhost.',
      ({ options, pointer }) => [
        ...breach(
          isPlain(options.publicUrl),
          `${pointer}/PublicUrl`,
          `${options.publicUrl.origin} is plain http: for development on one machine.`,
        ),
        ...issuersOf(options).flatMap((issuer) =>
          breach(isPlain(new URL(issuer)), '/Bff/Authority', `${issuer} is plain http on this machine.`),
        ),
        ...options.routes.flatMap((route, index) =>
          route.upstreams
            .filter((url) => !isSecureUrl(url) && route.sockets === undefined && route.tokenType !== 'None')
            .flatMap((url) =>
              breach(
                true,
                `${pointer}/Routes/${index}/Upstreams`,
                `${url.origin} gets tokens over plain http, unless a mesh encrypts between the two.`,
              ),
            ),
        ),
      ],
    ),
  },
  {
    section: '5.2.1-2',
    level: 'shall',
    requirement: 'TLS is version 1.2 or later.',
    tests: ['http/tls', 'conformance/full-stack'],
    assess: (subject) =>
      ends(subject) === 'here'
        ? {
            status: 'met',
            how: 'Listeners and all calls that go out take TLS 1.2 and 1.3 only.',
            pointers: ['/Server/Tls'],
          }
        : {
            status: 'operator',
            how: 'Calls that go out take TLS 1.2 and 1.3 only. Browsers meet the server in front, which is not configured here.',
            pointers: ['/Server/Tls'],
          },
  },
  {
    section: '5.2.1-3',
    level: 'shall',
    requirement: 'TLS follows BCP 195; certificates of servers are checked. DNSSEC should protect names.',
    tests: ['http/tls', 'attacks/hostile-issuer'],
    trials: /: discovery$|^upstream /,
    duty: 'DNSSEC for the names of your servers.',
    assess: always(
      'Certificates of authorization servers and APIs are checked on every connection; no setting turns that off.',
    ),
  },
  {
    section: '5.2.2',
    level: 'shall',
    requirement: 'Where no browser calls, TLS 1.2 takes only the suites that BCP 195 recommends.',
    tests: ['http/tls', 'conformance/authorization-server/sallyport-beyond'],
    assess: (subject) =>
      ends(subject) === 'here'
        ? { status: 'met', how: 'The four ECDHE suites with AES-GCM, on every listener and for every call.' }
        : {
            status: 'operator',
            how: 'The four ECDHE suites with AES-GCM for every call; the server in front has its own.',
          },
  },
  {
    section: '5.2.3-1',
    level: 'shall',
    requirement: 'Endpoints for browsers are protected from being called without TLS (HSTS).',
    tests: ['gateway/answer-headers', 'gateway/frontend/frontend'],
    assess: eachFrontend(
      'Strict-Transport-Security with a year, on every answer.',
      ({ options, pointer }) => [
        ...breach(
          options.securityHeaders === 'None',
          `${pointer}/SecurityHeaders`,
          'SecurityHeaders is "None": the server in front has to send it.',
        ),
        ...breach(
          isLoopback(options.publicUrl.hostname),
          `${pointer}/PublicUrl`,
          'Not sent for this machine’s own name: it would hold for every program on it.',
        ),
      ],
      'operator',
    ),
  },
  {
    section: '5.2.3-2',
    level: 'shall',
    requirement: 'Where browsers call, TLS 1.2 takes only suites that BCP 195 allows.',
    tests: ['http/tls'],
    assess: (subject) =>
      ends(subject) === 'here'
        ? { status: 'met', how: 'Fewer: only those that it recommends.' }
        : { status: 'operator', how: 'The server in front decides.' },
  },
  {
    section: '5.2.3-3',
    level: 'shall',
    requirement: 'The authorization endpoint permits no CORS.',
    tests: ['conformance/authorization-server/sallyport-requirements'],
    assess: ofServer('No endpoint of it permits CORS.'),
  },
  {
    section: '5.4.1-1',
    level: 'shall',
    requirement: 'JWTs are signed with PS256, ES256 or EdDSA with Ed25519, never with none, and RFC 8725 is followed.',
    tests: ['jose/jwk', 'conformance/client/gateway', 'gateway/oauth/issuer-keys'],
    trials: /: metadata$/,
    assess: eachFrontend('Only these, for assertions, proofs, ID tokens and access tokens.', ({ options }) =>
      breach(
        options.profile === 'Baseline',
        '/Bff/Profile',
        'Profile is "Baseline": ID tokens with RS256 are taken, too.',
      ),
    ),
  },
  {
    section: '5.4.1-2, 3',
    level: 'shall',
    requirement: 'RSA keys have 2048 bits or more, keys of elliptic curves 224 or more.',
    tests: ['jose/jwk', 'gateway/oauth/issuer-keys'],
    assess: always(
      'Smaller keys are refused, in the configuration and in key sets of servers. Ours are P-256, Ed25519, or RSA of 2048 and more.',
    ),
  },
  {
    section: '5.4.1-4',
    level: 'shall',
    requirement: 'Credentials that no person types have 128 bits of entropy or more.',
    tests: ['authorization-server/tokens/access-token', 'store/seal'],
    assess: always('Session cookies, codes, request URIs, refresh tokens, state and verifiers are 256 random bits.'),
  },
  {
    section: '5.4.2',
    level: 'shall',
    requirement: 'Key sets are served over TLS by jwks_uri, without x5u and jku, and without repeated key identifiers.',
    tests: ['gateway/oauth/issuer-keys', 'authorization-server/tokens/signing-keys'],
    trials: /: keys$|: discovery$/,
    assess: always('Own key sets name each key by its thumbprint; x5u and jku are never followed.'),
  },
  {
    section: '5.4.3',
    level: 'shall',
    requirement: 'Where a key identifier is repeated, the key is chosen by its type, use and algorithm.',
    tests: ['gateway/oauth/issuer-keys', 'conformance/client/gateway'],
    assess: always('By all of them, always.'),
  },
  {
    section: '5.3.4-1, 2',
    level: 'shall',
    requirement: 'APIs take the access token in the Authorization header, never in the query.',
    tests: ['dpop-validator/catalogue', 'attacks/query-in-path-rule'],
    trials: /^upstream /,
    assess: ofApis('The sample API takes it from the header only.'),
  },
  {
    section: '5.3.4-3, 4, 5',
    level: 'shall',
    requirement:
      'APIs check signature, expiry, revocation and key binding of the token, and whether it is enough for the request.',
    tests: ['dpop-validator/catalogue', 'dpop-validator/issuer/introspection', 'dpop-validator/replay'],
    trials: /^upstream /,
    duty: 'APIs behind the gateway: sallyport/dpop-validator does it for those in JavaScript, its attack kit tries all others.',
    assess: ofApis('The sample API is behind the DPoP validator.'),
  },
]

/** APIs are other programs, but for the sample. */
function ofApis(how: string): Requirement['assess'] {
  return ({ configuration, frontends }) => {
    const origins = new Set(
      frontends.flatMap(({ options }) =>
        options.routes
          .filter(({ tokenType }) => tokenType !== 'None')
          .flatMap(({ upstreams }) => upstreams.map(({ origin }) => origin)),
      ),
    )
    const port = configuration.sampleApi?.listen.port
    const others = [...origins].filter((origin) => Number(new URL(origin).port) !== port)
    if (others.length > 0) return { status: 'elsewhere', how: `${others.join(', ')}: these APIs have to.` }
    return configuration.sampleApi === undefined
      ? { status: 'absent', how: 'No route leads to an API with a token.' }
      : { status: 'met', how }
  }
}
