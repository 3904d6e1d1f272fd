import type { RateLimitOptions } from './limits/limit-options.js'

/** One element of `authorization_details` (RFC 9396 §2). */
export type AuthorizationDetail = Readonly<Record<string, unknown>> & {
  /** What kind it is. */
  readonly type: string
}

/** An API: which requests are for it, with whose token, and how its servers are treated. */
export interface RouteOptions {
  /** Below the frontend's prefix. Longest match wins; `/api` covers `/api` and everything below it. */
  readonly path: string
  /** Origin and optional base path of each server. The only thing that is ever dialled. */
  readonly upstreams: readonly URL[]
  /**
   * Absolute paths of the Unix sockets on which the servers of the one URL in `upstreams` listen. They are dialled in place
   * of its host and port; proofs, `Host` and the path are those of the URL, and TLS is spoken where it is `https:`.
   * Default: none.
   */
  readonly sockets?: readonly string[]
  /** Whether `path` is taken off before the request goes upstream. The frontend's prefix always is. */
  readonly stripPath: boolean
  /** Empty: all. */
  readonly methods: readonly string[]
  /** Whose token goes upstream. Without a session, `User` is answered 401. */
  readonly tokenType: TokenType
  /** RFC 8707 resource indicator of the token for this route. */
  readonly resource?: string
  /**
   * Of the token for this route; those of a user's token are asked for at login too. Empty: the frontend's own, and of the
   * gateway's own token what the server gives.
   */
  readonly scopes: readonly string[]
  /**
   * `authorization_details` (RFC 9396) of the user's token for this route; asked for at login too. Where any route has some, the
   * tokens of the others have those of the frontend alone. Default: those of the login.
   */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /**
   * Gets the user's token for this route in exchange for that of the login (RFC 8693), where the server takes no narrower
   * refresh: for an API of another owner, or of another realm. `resource` and `scopes` say what it is for; `scopes` are not
   * asked for at login then. Default: by refresh.
   * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2 RFC 8693 §2}
   */
  readonly tokenExchange?: TokenExchangeOptions
  /**
   * Names the user to an API that takes no access tokens: a JWT of a minute, signed with `assertionKeys`, goes along in place of
   * the token. For `tokenType` `User` and `UserOrNone`. Default: none.
   */
  readonly identityAssertion?: IdentityAssertionOptions
  /** Whether a call starts the session's idle time anew. False for what a page asks by itself, again and again. Default: true. */
  readonly countsAsUse?: boolean
  /** Besides those of the frontend. Default: no limit. */
  readonly rateLimits?: readonly RateLimitOptions[]
  /**
   * How the user has to have signed in: one of these, as `acr` of the ID token. Anything else is asked for by a login with
   * `acr_values` (RFC 9470). Default: any.
   */
  readonly acrValues?: readonly string[]
  /** Seconds since the user signed in, as `auth_time` of the ID token says; then they are asked again. Default: no limit. */
  readonly maxAuthenticationAge?: number
  /**
   * Which users may in, besides what the frontend demands of them: all rules of both have to hold. For `tokenType` `User` and
   * `Client`; the latter then needs a session. Default: every user.
   */
  readonly access?: readonly AccessRule[]
  /**
   * Whether GET and HEAD need `X-CSRF: 1` too, for an API whose reads change something. Else they pass without it when the
   * browser says that a page of the same origin asks, or a person who typed the address; and a route that carries no token
   * needs it for no method at all. Default: false.
   * @see {@link https://www.w3.org/TR/fetch-metadata/ Fetch Metadata}
   */
  readonly requireCsrfHeader?: boolean
  /**
   * Which of several upstreams is next: each in turn, the one with the fewest requests, or always the same for a session
   * or, without one, for a client's address. Default: `RoundRobin`.
   */
  readonly balance?: 'RoundRobin' | 'LeastRequests' | 'Sticky'
  /**
   * Whether a connection is used again for the next request. Not for a server that answers without reading bodies: to it
   * what one user sends as a body is the next user's request. Default: true.
   */
  readonly reuseConnections?: boolean
  /** How long an upstream may take. */
  readonly timeouts?: TimeoutOptions
  /** Bytes of a request body, refused with 413 beyond. Default: no limit of ours; nothing is buffered. */
  readonly bodyLimit?: number
  /**
   * Bytes of a request body kept until the upstream has answered, so that it can be sent again with a nonce or to another
   * upstream. Larger bodies are streamed once. Default: 65,536.
   */
  readonly replayLimit?: number
  /** More attempts for an idempotent request when an upstream cannot be reached, each with a new proof. Default: 1. */
  readonly retries?: number
  /** Asks each upstream regularly whether it is well. Default: it is only watched while it is used. */
  readonly healthCheck?: HealthCheckOptions
  /** When an upstream is left alone for a while. */
  readonly circuitBreaker?: CircuitBreakerOptions
  /** Of upgraded connections. */
  readonly webSocket?: WebSocketOptions
  /** For `https:` upstreams. Default: the authorities that Node.js trusts. */
  readonly tls?: UpstreamTlsOptions
}

/** What a user's claims have to say. */
export interface AccessRule {
  /**
   * Name of a claim; dots lead into objects: `realm_access.roles`. A text with `://` is one name:
   * `https://example.com/roles`. A list is a path whose names are taken as they stand: `['resource_access', 'my.client', 'roles']`.
   */
  readonly claim: string | readonly string[]
  /**
   * Values of which the claim has one: as a text, as an entry of a list, or as a word of a text whose words are separated by
   * spaces. Letter case counts; numbers, `true` and `false` are compared as text.
   */
  readonly anyOf: readonly string[]
}

/** Seconds. Each names itself in the 504 it causes. */
export interface TimeoutOptions {
  /** Until the connection stands. Default: 5. */
  readonly connect?: number
  /** From the end of the request to the head of the response. Default: 60. */
  readonly responseHeaders?: number
  /** Without a byte in either direction. Default: 300. */
  readonly idle?: number
  /** From the first byte to the last, all attempts together. Default: none, for streams have no end. */
  readonly total?: number
}

/** A GET to each upstream, again and again. One that fails gets no requests while another one is well. */
export interface HealthCheckOptions {
  /** Below the upstream's base path. Any 2xx answer to a GET without credentials is health. */
  readonly path: string
  /** Seconds between two checks. Default: 10. */
  readonly interval?: number
  /** Seconds until no answer is a failure. Default: 2. */
  readonly timeout?: number
}

/** Stops sending to an upstream that cannot be reached, or that answers badly to many callers while another one is left. */
export interface CircuitBreakerOptions {
  /**
   * Connections in a row that cannot be made, or callers within 10 s whose last answer was bad (502, 503, 504, broken off,
   * late) while they are at least half of all callers. Default: 5.
   */
  readonly failures?: number
  /** Seconds until three requests try it again; twice as long after each try that fails, at most 30. Default: 1. */
  readonly openFor?: number
}

/** Connections that have become WebSockets. */
export interface WebSocketOptions {
  /** Seconds without a byte from the browser after which it is pinged, and once more until it is given up. 0: never. Default: 30. */
  readonly pingInterval?: number
}

/** What an `https:` upstream is checked by, and what we show it. */
export interface UpstreamTlsOptions {
  /** PEM certificates of the only authorities that are trusted. */
  readonly ca?: string
  /** PEM certificate and key that we show. */
  readonly cert?: string
  /** PEM private key of `cert`. */
  readonly key?: string
  /** The name to ask for and to check the certificate against. Default: the host in the URL. */
  readonly serverName?: string
}

/** What is asked for besides the resource and the scopes of the route. */
export interface TokenExchangeOptions {
  /** The server's name for the API: `audience`. Default: not sent. */
  readonly audience?: string
}

/** What a signed assertion says of the user besides `sub`, and to whom. */
export interface IdentityAssertionOptions {
  /** `aud`: the name by which the API knows itself. */
  readonly audience: string
  /** Claims about the user, those that the session has. Default: none. */
  readonly claims?: readonly string[]
  /** The header field. Its name ends in `-Assertion`. Default: `X-Identity-Assertion`. */
  readonly header?: string
}

/** Whose token goes upstream: the user's, the user's or else none, the user's or else the gateway's own, the gateway's own, none. */
export type TokenType = 'User' | 'UserOrNone' | 'UserOrClient' | 'Client' | 'None'
