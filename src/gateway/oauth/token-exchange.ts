import * as openid from 'openid-client'
import { UpstreamError } from '../../errors.js'
import type { TokenExchangeOptions } from '../route-options.js'
import { refuseTokens } from './oauth-error.js'

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * A token for another audience, for one of the same user.
 * @param parameters `resource` and `scope`, where they are asked for
 * @throws ProtocolError as the server refuses it; UpstreamError for an answer that is none
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.1 RFC 8693 §2.1}
 */
export async function exchangeToken(
  known: openid.Configuration,
  {
    accessToken,
    audience,
    parameters,
  }: TokenExchangeOptions & {
    readonly accessToken: string
    readonly parameters: URLSearchParams
  },
  proof: openid.DPoPOptions,
): Promise<openid.TokenEndpointResponse & openid.TokenEndpointResponseHelpers> {
  parameters.set('subject_token', accessToken)
  parameters.set('subject_token_type', accessTokenType)
  parameters.set('requested_token_type', accessTokenType)
  if (audience !== undefined) parameters.set('audience', audience)
  const response = await openid.genericGrantRequest(known, grantType, parameters, proof).catch(refuseTokens)
  if (response.issued_token_type !== accessTokenType)
    throw new UpstreamError('invalid_response', 'the token endpoint gave another kind of token than was asked for')
  return response
}
