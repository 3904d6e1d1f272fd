import { z } from 'zod'
import {
  circuitBreakerDefaults,
  healthCheckDefaults,
  identityAssertionDefaults,
  routeDefaults,
  timeoutDefaults,
  webSocketDefaults,
} from '../../gateway/defaults.js'
import { methodName } from '../../gateway/frontend/frontend-grammar.js'
import { routeDetails } from './authorization-details.js'
import { rateLimits } from './limits.js'
import { accessRules, counted, duration, httpUrl, lasting, routePath, text, unixSocket } from './values.js'

const timeouts = z
  .strictObject({
    Connect: lasting(timeoutDefaults.connect, 'Until the connection stands.'),
    ResponseHeaders: lasting(
      timeoutDefaults.responseHeaders,
      'From the end of the request to the head of the response.',
    ),
    Idle: lasting(timeoutDefaults.idle, 'Without a byte in either direction.'),
    Total: duration.optional().meta({
      description: 'From the first byte to the last, all attempts together. Default: none, for streams have no end.',
      examples: ['00:10:00'],
    }),
  })
  .meta({ description: 'How long the upstream may take. Each names itself in the 504 that it causes.' })

const healthCheck = z
  .strictObject({
    Path: routePath.optional().meta({
      description: "Below the upstream's base path. Any 2xx answer to a GET without credentials is health.",
      examples: ['/healthz'],
    }),
    Interval: lasting(healthCheckDefaults.interval, 'Between two checks.'),
    Timeout: lasting(healthCheckDefaults.timeout, 'Until no answer is a failure.'),
  })
  .meta({
    description: 'Asks each upstream regularly whether it is well. Absent: it is only watched while it is used.',
    required: ['Path'],
  })

const circuitBreaker = z
  .strictObject({
    Failures: counted(
      circuitBreakerDefaults.failures,
      'Connections in a row that cannot be made, or callers within 10 s whose last answer was bad (502, 503, 504, broken off, late) while they are at least half of all callers.',
    ),
    OpenFor: lasting(
      circuitBreakerDefaults.openFor,
      'Until three requests try it again, and close it if they succeed; twice as long after each try that fails, at most 30 s.',
    ),
  })
  .meta({
    description:
      'Stops sending to an upstream that cannot be reached, or that answers badly to many callers while another one is left.',
  })

const upstreamTls = z
  .strictObject({
    CaFile: text.optional().meta({
      description: 'PEM certificates of the only authorities that are trusted. Default: those that Node.js trusts.',
      examples: ['./tls/ca.pem'],
    }),
    CertFile: text.optional().meta({ description: 'PEM certificate that we show.', examples: ['./tls/client.pem'] }),
    KeyFile: text.optional().meta({ description: 'Its private key.', examples: ['./tls/client.key'] }),
    ServerName: text.optional().meta({
      description: 'The name to ask for and to check the certificate against. Default: the host in the URL.',
      examples: ['orders.internal'],
    }),
  })
  .meta({ description: 'For `https:` upstreams.' })

/** One path of a frontend, and the API behind it. */
export const route = z
  .strictObject({
    Path: routePath.optional().meta({
      description:
        'The path and everything below it, counted from `PathPrefix`. The longest match wins. No pattern: `/api` covers `/api/orders`.',
      examples: ['/api'],
    }),
    Upstreams: z
      .array(httpUrl)
      .default([])
      .meta({
        description: 'Origin and optional base path of each server. Nothing else is ever called. Plain http is fine.',
        examples: [['http://orders:8080']],
      }),
    Sockets: z
      .array(unixSocket)
      .optional()
      .meta({
        description:
          'Unix sockets on which the servers of the one URL in `Upstreams` listen: `unix:` and a path. They are connected to in place of its host and port; proofs, `Host` and path are those of the URL. Default: none.',
        examples: [['unix:/run/orders.sock']],
      }),
    StripPath: z.boolean().default(false).meta({
      description: 'Whether `Path` is left out of what the upstream is asked for.',
    }),
    Methods: z
      .array(z.string().regex(methodName, 'is not an HTTP method in capitals'))
      .default([])
      .meta({ description: 'The HTTP methods that pass. Default: all.', examples: [['GET', 'POST']] }),
    TokenType: z.enum(['User', 'UserOrNone', 'UserOrClient', 'Client', 'None']).default('User').meta({
      description:
        "Whose access token goes upstream: the user's; the user's if there is one, or else none; the user's if there is one, or else the gateway's own; the gateway's own (with these two the API also answers callers who have not signed in: every caller who can reach the page); or none.",
    }),
    Resource: text.optional().meta({
      description: 'Resource indicator (RFC 8707) of the token for this route. Default: the token of the session.',
      examples: ['https://orders.example.com'],
    }),
    Scopes: z
      .array(text)
      .default([])
      .meta({
        description:
          "Scopes of the token for this route. Default: the frontend's own `Scopes`, without those of other routes; of the gateway's own token, what the server gives.",
        examples: [['orders']],
      }),
    AuthorizationDetails: routeDetails,
    TokenExchange: z
      .strictObject({
        Audience: text.optional().meta({
          description: "The server's name for the API, sent as `audience`. Default: not sent.",
          examples: ['orders-api'],
        }),
      })
      .optional()
      .meta({
        description:
          "The user's token for this route is got in exchange for that of the login (RFC 8693), bound to the same key: for an API of another owner. `Resource` and `Scopes` say what it is for, and are not asked for at login. Default: by refresh.",
      }),
    IdentityAssertion: z
      .strictObject({
        Audience: text.optional().meta({
          description: '`aud`: the name by which the API knows itself.',
          examples: ['https://reports.internal'],
        }),
        Claims: z
          .array(text)
          .default([])
          .meta({
            description: 'Claims about the user besides `sub`, those that the session has.',
            examples: [['email', 'roles']],
          }),
        Header: text.default(identityAssertionDefaults.header).meta({
          description: 'The header field that carries it. Its name ends in `-Assertion`.',
        }),
      })
      .optional()
      .meta({
        description:
          'Names the user to an API that takes no access tokens: a JWT of a minute, signed with `Bff.AssertionKeys`, goes along in place of the token. For `TokenType` `User` and `UserOrNone`. Default: none.',
        required: ['Audience'],
      }),
    AcrValues: z
      .array(text)
      .optional()
      .meta({
        description:
          'How the user has to have signed in: one of these, as `acr` of the ID token. Anything else is asked for by a login with `acr_values` (RFC 9470). Default: any.',
        examples: [['urn:example:two-factors']],
      }),
    MaxAuthenticationAge: duration.optional().meta({
      description:
        'How long ago the user may have signed in, as `auth_time` of the ID token says. After that they are asked again, by a login with `max_age` (RFC 9470). Default: no limit.',
      examples: ['00:05:00'],
    }),
    Access: accessRules.optional().meta({
      description:
        "Which users may in, besides what the frontend's `Access` demands: all rules of both have to hold. For `TokenType` `User` and `Client`; the latter then needs a session. Default: every user.",
      examples: [[{ Claim: 'roles', AnyOf: ['staff'] }]],
    }),
    RequireCsrfHeader: z.boolean().default(routeDefaults.requireCsrfHeader).meta({
      description:
        'Whether GET and HEAD need `X-CSRF: 1` too, for an API whose reads change something. Else they pass without it when the browser says that a page of the same origin asks, or a person who typed the address; and a route with `TokenType` "None" needs it for no method.',
    }),
    CountsAsUse: z.boolean().default(routeDefaults.countsAsUse).meta({
      description:
        'Whether a call restarts `SessionDuration`. false for what a page asks by itself, again and again: a session that is only polled with ends as if it were not used.',
    }),
    RateLimits: rateLimits.meta({
      description: 'How many calls this route takes, besides `RateLimits` of the frontend. Default: no limit.',
    }),
    Balance: z.enum(['RoundRobin', 'LeastRequests', 'Sticky']).default(routeDefaults.balance).meta({
      description:
        'Which of several upstreams is next: each in turn, the one with the fewest requests, or the same for all calls of a session (without one: of a client address) as long as it is well, as Socket.IO needs it.',
    }),
    ReuseConnections: z.boolean().default(routeDefaults.reuseConnections).meta({
      description:
        'Whether connections to the upstreams are kept for the next request. false for a server that answers without reading request bodies: it would take the body of one user for the request of the next.',
    }),
    Timeouts: timeouts.prefault({}),
    BodyLimit: z
      .int()
      .min(0)
      .optional()
      .meta({
        description:
          'Bytes of a request body; refused with 413 beyond, so that 0 lets no body through. Default: no limit, nothing is buffered.',
        examples: [10_485_760],
      }),
    ReplayLimit: counted(
      routeDefaults.replayLimit,
      'Bytes of a request body that are kept until the upstream has answered, so that it can be sent again with a nonce or to another upstream.',
      0,
    ),
    Retries: counted(
      routeDefaults.retries,
      'More attempts for an idempotent request when an upstream cannot be reached, each with a new proof.',
      0,
      5,
    ),
    HealthCheck: healthCheck.optional(),
    CircuitBreaker: circuitBreaker.prefault({}),
    WebSocket: z
      .strictObject({
        PingInterval: lasting(
          webSocketDefaults.pingInterval,
          'Without a byte from the browser, after which it is pinged, and once more until it is given up. `00:00:00`: never.',
        ),
      })
      .prefault({})
      .meta({ description: 'For upgraded connections.' }),
    Tls: upstreamTls.optional(),
  })
  .meta({ required: ['Path', 'Upstreams'] })

export type RouteSettings = z.output<typeof route>
