import type { HttpProxyOptions } from '../http/outgoing-proxy.js'
import type { SigningKey } from '../jose/jwk.js'
import type { Seal } from '../store/seal.js'
import type { Store } from '../store/store.js'
import type { AuthorityOptions, ServerClientOptions } from './authorities/authority-options.js'
import type { OnLogin, OnLogout } from './hooks.js'
import type { LoginLimits, RateLimitOptions, SessionsPerUserOptions, StreamLimits } from './limits/limit-options.js'
import type { AccessRule, AuthorizationDetail, RouteOptions } from './route-options.js'

export type { HttpProxyOptions } from '../http/outgoing-proxy.js'

/** What a gateway is made of: validated, complete, frozen. Times are seconds. */
export interface GatewayOptions {
  /** In any order: hosts and path prefixes say which one a request is for. */
  readonly frontends: readonly FrontendOptions[]
  /** Shared by all replicas: `createRedisStore`. For one process `createMemoryStore`. */
  readonly store: Store
  /** The same keys on all replicas: `createSeal`. */
  readonly seal: Seal
  /** CIDR ranges of our own proxies. Default: none, so that no forwarded header is believed. */
  readonly trustedProxies?: readonly string[]
  /** Whether `X-Forwarded-Host` of trusted proxies counts in place of `Host`. Default: false. */
  readonly trustForwardedHost?: boolean
  /** Seconds one call to an authorization server may take. Default: 10. */
  readonly issuerTimeout?: number
  /** PEM certificates to trust for authorization servers, besides the system's. */
  readonly issuerCa?: string
  /** The way to authorization servers where there is no direct one. Default: direct. */
  readonly httpProxy?: HttpProxyOptions
  /** Beyond them a login is answered 429. */
  readonly loginLimits?: LoginLimits
  /** Beyond them a WebSocket or an event stream is answered 429. */
  readonly streamLimits?: StreamLimits
  /** Name and colours of the pages for errors and logout. */
  readonly branding?: Branding
  /**
   * Whether the administration can tell whose each session is: then the store holds `sub` and begin of every session, and
   * opens them for who has the sealing keys, without a cookie. Default: false.
   */
  readonly administered?: boolean
  /** Asked before a session begins. Default: every login that the authorization server confirms is taken. */
  readonly onLogin?: OnLogin
  /** Told when a session has ended. */
  readonly onLogout?: OnLogout
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** What the gateway's own pages look like. */
export interface Branding {
  /** Above every page. Default: `Sallyport`. */
  readonly name?: string
  /** CSS after ours: `:root{--sp-accent:#7a1fa2}`. */
  readonly theme?: string
}

/** A kind of element that a login link may ask for. */
export interface LoginDetailType {
  /** `type` of such an element. */
  readonly type: string
  /** JSON Schema (2020-12) of the whole element. */
  readonly schema: Readonly<Record<string, unknown>>
}

/** One application: where browsers find it, its client at the authorization server, and the APIs behind it. */
export interface FrontendOptions extends ServerClientOptions {
  /** Unique; part of the cookie's name and of every record's seal. */
  readonly name: string
  /** Host names (with port, where it is not the scheme's own) that this frontend answers to. Empty: any. */
  readonly hosts: readonly string[]
  /** `''` or `/admin`. */
  readonly pathPrefix: string
  /** The origin that browsers see. Redirect URIs are made from it, never from a request. */
  readonly publicUrl: URL
  /**
   * Several authorization servers, of which the user chooses one at login. The first one gives the gateway's own tokens.
   * Default: one, as this frontend itself says.
   */
  readonly authorities?: readonly AuthorityOptions[]
  /**
   * Private keys of its own that sign `identityAssertion` of routes. The first one signs; all are published at
   * `P/assertion-jwks`, for rotation with an overlap. Default: none.
   */
  readonly assertionKeys?: readonly SigningKey[]
  /** RFC 9126. Off only under the Baseline profile. */
  readonly pushedAuthorizationRequests: boolean
  /** RFC 9449. Off only under the Baseline profile, or where tokens are bound to `clientCertificate`. */
  readonly dpop: boolean
  /**
   * Shown to the authorization server, at the endpoints that it has for mutual TLS. Default: none.
   */
  readonly clientCertificate?: ClientCertificate
  /**
   * Whether tokens are bound to `clientCertificate` (RFC 8705 §3) instead of a key for each session: then `dpop` is false, and
   * the routes that carry tokens show the certificate to their upstreams, unless their `tls` has one. Default: false.
   */
  readonly certificateBoundAccessTokens?: boolean
  /**
   * Whether the pushed request is a request object, signed with the first of the client's keys (RFC 9101).
   * Needs a key and pushed requests. Default: false.
   */
  readonly signedRequests?: boolean
  /** `jwt`: answers to logins are signed (JARM), and one that is not is refused. Default: `query`. */
  readonly responseMode?: 'query' | 'jwt'
  /** Whether a callback without `iss` is refused (RFC 9207). Off only under the Baseline profile. */
  readonly requireIssuer: boolean
  /** `Baseline` also accepts RS256 ID tokens. Default: `Fapi2`. */
  readonly profile?: 'Fapi2' | 'Baseline'
  /** Claims that the page may see at `P/user`. Default: every claim about the user, none about the token. */
  readonly userClaims?: readonly string[]
  /**
   * Parameters of the authorization request that a login link may set, such as `acr_values` or `max_age`; never those of the
   * protocol. All others are ignored. Default: login_hint, prompt, ui_locales.
   */
  readonly loginParameters?: readonly string[]
  /**
   * `authorization_details` of every login (RFC 9396), as the authorization server has them. A link cannot change them.
   * Default: none.
   */
  readonly authorizationDetails?: readonly AuthorizationDetail[]
  /**
   * What a login link may ask for by `authorization_details`, where `loginParameters` has that: an element of another type, or
   * one that does not fit its schema, is left out. Default: nothing.
   */
  readonly loginDetailTypes?: readonly LoginDetailType[]
  /**
   * Whether the refresh token of a session is revoked as well when the session is ended without its browser: by back-channel
   * logout, by an administrator, by another session of the user, by `sessionsPerUser`. Then the store holds it, with the
   * session's DPoP key, so that `seal` alone opens the two, without the browser's cookie. Default: false.
   */
  readonly revokeEndedSessions?: boolean
  /**
   * Whether the authorization server may end a session by a frame of its sign-out page, at `P/frontchannel-logout` (OpenID
   * Connect Front-Channel Logout 1.0). Needs `openid` in `scopes`. Default: false.
   */
  readonly frontchannelLogout?: boolean
  /** When sessions of this frontend end. */
  readonly session: SessionLifetimes
  /**
   * Which users may in. All rules have to hold, at every call that has to do with a user: routes (but for `tokenType` `None`,
   * which looks at no user), WebSockets, and pages where a session is there. Default: every user.
   */
  readonly access?: readonly AccessRule[]
  /** How many sessions of this frontend one user may have. Needs `openid` in `scopes`. Default: no limit. */
  readonly sessionsPerUser?: SessionsPerUserOptions
  /** Calls of all routes together. Default: no limit. */
  readonly rateLimits?: readonly RateLimitOptions[]
  /**
   * What is for users with a session only: `Calls` of routes, or the `Page` with all its files as well. A person without one is
   * sent to the login and comes back; a script, a style or a picture is 401. Default: `Calls`.
   */
  readonly requireLogin?: 'Calls' | 'Page'
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
  /** Pages of other sites that may show this frontend's page in a frame. Needs https. Default: no page may. */
  readonly embedding?: EmbeddingOptions
  /** Path a login leads to when its link names no `returnUrl`. */
  readonly postLoginRedirectPath: string
  /** Path a logout leads to, after the authorization server's own. */
  readonly postLogoutRedirectPath: string
  /** Path a failed login leads to, with `error` and `request_id` in its query. Default: a page of ours. */
  readonly errorRedirectPath?: string
  /** The APIs. What none of them covers is the page's. */
  readonly routes: readonly RouteOptions[]
}

/** Pages of other sites that may show a frontend's page in a frame. */
export interface EmbeddingOptions {
  /** Origins, exactly, as browsers send them: `https://portal.example`. No patterns. */
  readonly origins: readonly string[]
}

/** Pages on other hosts that may call with the session's cookie. */
export interface CorsOptions {
  /** As browsers send them: `https://app.example`. No patterns. */
  readonly origins: readonly string[]
}

/** What a client shows of itself in a handshake. */
export interface ClientCertificate {
  /** PEM certificate, and its chain. */
  readonly cert: string
  /** PEM private key of `cert`, without a passphrase. */
  readonly key: string
}

/** Of one frontend's sessions. A session also ends with the server's `session_expiry` and with its refresh token. */
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
