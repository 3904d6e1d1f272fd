import type { SigningKey } from '../../jose/jwk.js'

/** What a frontend is to an authorization server. */
export interface ServerClientOptions {
  /** The issuer identifier of the authorization server, exactly. */
  readonly authority: string
  /** As the authorization server knows it. */
  readonly clientId: string
  /** How this client proves itself at the authorization server's endpoints. */
  readonly clientAuthentication: ClientAuthentication
  /** Of every login; `openid` makes it one of OpenID Connect. Those of the routes are added. */
  readonly scopes: readonly string[]
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
}

/** One of several authorization servers of a frontend. What is left out is as the frontend itself has it. */
export interface AuthorityOptions extends Partial<ServerClientOptions> {
  /** Unique in its frontend. A login link chooses by it: `P/login?authority=`. */
  readonly name: string
  /** What users choose by. Default: the name of this entry. */
  readonly displayName?: string
}

/** By a signed assertion (RFC 7523 §2.2), by a certificate (RFC 8705 §2) or, under the Baseline profile only, a secret. */
export type ClientAuthentication =
  /** The first key signs; the others are only published, for rotation with an overlap. */
  | { readonly method: 'private_key_jwt'; readonly keys: readonly SigningKey[] }
  /** `clientCertificate`, which the server knows by its subject and authority, or by its key. Its keys sign requests alone. */
  | { readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth'; readonly keys?: readonly SigningKey[] }
  | { readonly method: ClientSecretMethod; readonly secret: string }

/** In the body or, percent-encoded, in `Authorization: Basic` (RFC 6749 §2.3.1). */
export type ClientSecretMethod = 'client_secret_post' | 'client_secret_basic'
