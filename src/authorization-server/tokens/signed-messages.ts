import type { JsonObject } from '../../jose/compact-jws.js'
import { signedResponseLifetime } from '../defaults.js'
import type { ClientOptions, ServerAlgorithm } from '../options.js'
import { signToken } from './jws.js'
import type { SigningKeys } from './signing-keys.js'

/** Answers of this server that a client can show to others: what FAPI 2.0 Message Signing calls non-repudiation. */
export interface SignedMessages {
  /** `response` of an authorization response. @see JARM §2.1 */
  authorizationResponse(client: ClientOptions, parameters: AuthorizationResponseParameters): Promise<string>
  /** What is known of a token, for the client that asked. @see {@link https://www.rfc-editor.org/rfc/rfc9701#section-5 RFC 9701 §5} */
  introspection(client: ClientOptions, state: JsonObject): Promise<string>
}

/** Undefined: not there. */
export type AuthorizationResponseParameters = Readonly<Record<string, string | undefined>>

export interface SignedMessagesOptions {
  readonly issuer: string
  readonly keys: SigningKeys
  readonly defaultAlgorithm: ServerAlgorithm
  readonly now: () => number
}

export function createSignedMessages({ issuer, keys, defaultAlgorithm, now }: SignedMessagesOptions): SignedMessages {
  const keyFor = ({ idTokenAlgorithm = defaultAlgorithm }: ClientOptions) => keys.current(idTokenAlgorithm)
  return {
    authorizationResponse(client, parameters) {
      const exp = Math.floor(now()) + signedResponseLifetime
      // JARM defines no `typ`; that of an ID token would let it pass for a hint.
      return signToken(keyFor(client), undefined, { ...parameters, iss: issuer, aud: client.clientId, exp })
    },

    introspection(client, state) {
      // No `sub` and no `exp` outside: it must not pass for a token itself (RFC 9701 §8.1).
      const claims = { iss: issuer, aud: client.clientId, iat: Math.floor(now()), token_introspection: state }
      return signToken(keyFor(client), 'token-introspection+jwt', claims)
    },
  }
}
