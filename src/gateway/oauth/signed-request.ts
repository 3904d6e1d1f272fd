import * as openid from 'openid-client'
import type { FrontendOptions } from '../options.js'
import { clientKey, keysOf, nameFor } from './client-authentication.js'
import { refuse } from './oauth-error.js'

/** Seconds. FAPI 2.0 Message Signing §5.3.2-4 allows 3600; the server reads it at once. */
const lifetime = 300
/** Seconds by which the server's clock may be behind ours: some take no `nbf` of a moment from now. */
const leeway = 10

/**
 * The parameters of an authorization request as one request object, signed with the client's key.
 * Beside it nothing is left but `client_id`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9101#section-4 RFC 9101 §4}, FAPI 2.0 Message Signing §5.3.2
 */
export async function signedRequest(
  known: openid.Configuration,
  parameters: URLSearchParams,
  { clientAuthentication: authentication }: FrontendOptions,
): Promise<URLSearchParams> {
  const [key] = keysOf(authentication)
  if (key === undefined) throw new TypeError('a signed request needs a key')
  const accepted = known.serverMetadata().request_object_signing_alg_values_supported ?? []
  const signing: openid.ModifyAssertionOptions = {
    [openid.modifyAssertion](header, claims) {
      header.alg = nameFor(key, accepted)
      const now = Number(claims.iat)
      claims.nbf = now - leeway
      claims.exp = now + lifetime
    },
  }
  const { searchParams } = await openid
    .buildAuthorizationUrlWithJAR(known, parameters, await clientKey(key), signing)
    .catch(refuse)
  return searchParams
}
