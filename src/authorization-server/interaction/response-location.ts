import type { ClientOptions } from '../options.js'
import { withParameters } from '../pages/page-response.js'
import type { AuthorizationResponseParameters, SignedMessages } from '../tokens/signed-messages.js'

/** How a client wants its authorization response: in plain parameters, or as one signed one (JARM). */
export type ResponseMode = 'query' | 'jwt'

/** Whose response it is. */
export interface ResponseTarget {
  readonly client: ClientOptions
  readonly redirectUri: string
  readonly responseMode: ResponseMode
}

/** Where the browser is sent with an authorization response, errors too. Either kind names the issuer (RFC 9207, JARM §2.1). */
export type ResponseLocation = (target: ResponseTarget, parameters: AuthorizationResponseParameters) => Promise<string>

export function createResponseLocation(issuer: string, signedMessages: SignedMessages): ResponseLocation {
  return async ({ client, redirectUri, responseMode }, parameters) =>
    withParameters(
      redirectUri,
      responseMode === 'jwt'
        ? { response: await signedMessages.authorizationResponse(client, parameters) }
        : { ...parameters, iss: issuer },
    )
}
