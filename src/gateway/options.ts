import type { SigningKey } from '../jose/jwk.js'
import type { Seal } from '../store/seal.js'
import type { Store } from '../store/store.js'

/** What a gateway is made of: validated, complete, frozen. Times are seconds. */
export interface GatewayOptions {
  readonly frontends: readonly FrontendOptions[]
  readonly store: Store
  readonly seal: Seal
  /** CIDR ranges of our own proxies. Default: none, so that no forwarded header is believed. */
  readonly trustedProxies?: readonly string[]
  /** Whether `X-Forwarded-Host` of trusted proxies counts in place of `Host`. Default: false. */
  readonly trustForwardedHost?: boolean
  /** Seconds one call to an authorization server may take. Default: 10. */
  readonly issuerTimeout?: number
  /** PEM certificates to trust for authorization servers, besides the system's. */
  readonly issuerCa?: string
  readonly loginLimits?: LoginLimits
  readonly streamLimits?: StreamLimits
  readonly branding?: Branding
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** WebSockets and event streams open at once, in this process. */
export interface StreamLimits {
  /** Default: 64. */
  readonly perSession?: number
  /** From one IPv4 address or IPv6 /64. Default: 1024. */
  readonly perAddress?: number
}

/** What the gateway's own pages look like. */
export interface Branding {
  /** Above every page. Default: `Sallyport`. */
  readonly name?: string
  /** CSS after ours: `:root{--sp-accent:#7a1fa2}`. */
  readonly theme?: string
}

/** How many logins may be begun. */
export interface LoginLimits {
  /** From one IPv4 address or IPv6 /64 within the window. Default: 300. */
  readonly perAddress?: number
  /** Seconds. Default: 60. */
  readonly window?: number
}

export interface FrontendOptions {
  /** Unique; part of the cookie's name and of every record's seal. */
  readonly name: string
  /** Host names (with port, where it is not the scheme's own) that this frontend answers to. Empty: any. */
  readonly hosts: readonly string[]
  /** `''` or `/admin`. */
  readonly pathPrefix: string
  /** The origin that browsers see. Redirect URIs are made from it, never from a request. */
  readonly publicUrl: URL
  /** The issuer identifier of the authorization server, exactly. */
  readonly authority: string
  readonly clientId: string
  readonly clientAuthentication: ClientAuthentication
  /** Off only under the Baseline profile. */
  readonly pushedAuthorizationRequests: boolean
  /** Off only under the Baseline profile. */
  readonly dpop: boolean
  /** RFC 9207. Off only under the Baseline profile. */
  readonly requireIssuer: boolean
  /** `Baseline` also accepts RS256 ID tokens. Default: `Fapi2`. */
  readonly profile?: 'Fapi2' | 'Baseline'
  readonly scopes: readonly string[]
  /** Claims that the page may see at `P/user`. Default: every claim about the user, none about the token. */
  readonly userClaims?: readonly string[]
  /**
   * Parameters of the authorization request that a login link may set, such as `acr_values` or `max_age`; never those of the
   * protocol. All others are ignored. Default: login_hint, prompt, ui_locales.
   */
  readonly loginParameters?: readonly string[]
  /**
   * Parameters of every authorization request, such as `audience` or `claims`; never those of the protocol. A link cannot
   * change them. Default: none.
   */
  readonly authorizationParameters?: Readonly<Record<string, string>>
  /**
   * Whether logout may put the ID token into the browser's URL for servers that want an `id_token_hint`. Without it the
   * server gets `client_id` and `logout_hint`. Default: true.
   */
  readonly idTokenHint?: boolean
  readonly session: SessionLifetimes
  /**
   * Which users may in. All rules have to hold, at every call that has to do with a user: routes (but for `tokenType` `None`,
   * which looks at no user), WebSockets, and pages where a session is there. Default: every user.
   */
  readonly access?: readonly AccessRule[]
  /** Folder of the built SPA. */
  readonly staticFilesPath?: string
  /** Origin of an SPA that is served elsewhere. It may call with the cookie (CORS), and logins return to it. */
  readonly clientUrl?: URL
  /** Origin of a development server, instead of a folder: the page and its socket for hot reloading pass through here. */
  readonly developmentServer?: URL
  /**
   * Headers of the page's files: `Spa` allows inline styles, `Strict` does not, `None` leaves them to the files' server.
   * Default: `Spa`.
   */
  readonly securityHeaders?: 'Spa' | 'Strict' | 'None'
  /** Instead of the preset's policy. */
  readonly contentSecurityPolicy?: string
  /** For pages on other hosts than the gateway. Default: only `clientUrl`, if there is one. */
  readonly cors?: CorsOptions
  readonly postLoginRedirectPath: string
  readonly postLogoutRedirectPath: string
  readonly errorRedirectPath?: string
  readonly routes: readonly RouteOptions[]
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

export interface CorsOptions {
  /** As browsers send them: `https://app.example`. No patterns. */
  readonly origins: readonly string[]
}

export type ClientAuthentication =
  /** The first key signs; the others are only published, for rotation with an overlap. */
  | { readonly method: 'private_key_jwt'; readonly keys: readonly SigningKey[] }
  | { readonly method: 'client_secret_post'; readonly secret: string }

export interface SessionLifetimes {
  /** Seconds without a request. */
  readonly idle: number
  /** Seconds since login, whatever happens. */
  readonly absolute: number
  /** Whether a request starts the idle time anew. */
  readonly sliding: boolean
  /** Seconds before the access token's expiry at which it is refreshed. */
  readonly refreshGracePeriod: number
}

export interface RouteOptions {
  /** Below the frontend's prefix. Longest match wins; `/api` covers `/api` and everything below it. */
  readonly path: string
  /** Origin and optional base path of each server. The only thing that is ever dialled. */
  readonly upstreams: readonly URL[]
  /** Whether `path` is taken off before the request goes upstream. The frontend's prefix always is. */
  readonly stripPath: boolean
  /** Empty: all. */
  readonly methods: readonly string[]
  readonly tokenType: TokenType
  /** RFC 8707 resource indicator of the token for this route. */
  readonly resource?: string
  readonly scopes: readonly string[]
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
   * Which of several upstreams is next: each in turn, the one with the fewest requests, or always the same for a session
   * or, without one, for a client's address. Default: `RoundRobin`.
   */
  readonly balance?: 'RoundRobin' | 'LeastRequests' | 'Sticky'
  /**
   * Whether a connection is used again for the next request. Not for a server that answers without reading bodies: to it
   * what one user sends as a body is the next user's request. Default: true.
   */
  readonly reuseConnections?: boolean
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
  readonly circuitBreaker?: CircuitBreakerOptions
  readonly webSocket?: WebSocketOptions
  /** For `https:` upstreams. Default: the authorities that Node.js trusts. */
  readonly tls?: UpstreamTlsOptions
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

export interface WebSocketOptions {
  /** Seconds without a byte from the browser after which it is pinged, and once more until it is given up. 0: never. Default: 30. */
  readonly pingInterval?: number
}

export interface UpstreamTlsOptions {
  /** PEM certificates of the only authorities that are trusted. */
  readonly ca?: string
  /** PEM certificate and key that we show. */
  readonly cert?: string
  readonly key?: string
  /** The name to ask for and to check the certificate against. Default: the host in the URL. */
  readonly serverName?: string
}

/** Whose token goes upstream: the user's, the user's if there is one, the gateway's own, none. */
export type TokenType = 'User' | 'UserOrNone' | 'Client' | 'None'
