import { clientsOf } from '../gateway/authorities/authorities.js'
import type { ClientAuthentication } from '../gateway/authorities/authority-options.js'
import type { FrontendOptions } from '../gateway/options.js'
import type { AuthorizationDetail } from '../gateway/route-options.js'
import { goesDirectly, type HttpProxyOptions } from '../http/outgoing-proxy.js'

/** How a login asks one authorization server. */
export interface ExplainedLogin {
  readonly authority: string
  readonly clientId: string
  readonly authentication: ClientAuthentication['method']
  readonly request: 'pushed' | 'pushed and signed' | 'in the URL'
  readonly response: 'plain' | 'signed'
  readonly constraint: 'DPoP' | 'Mtls' | 'none'
  readonly scopes: readonly string[]
  /** Types of the `authorization_details` that every login asks for (RFC 9396). */
  readonly detailTypes: readonly string[]
  /** Host and port of the HTTP proxy by which the gateway calls the server. Absent: it calls directly. */
  readonly httpProxy?: string
}

/** One for each authorization server of a frontend. */
export function explainedLogins(
  frontend: FrontendOptions,
  httpProxy: HttpProxyOptions | undefined,
): readonly ExplainedLogin[] {
  return clientsOf(frontend).map(({ options }) => {
    const { pushedAuthorizationRequests, signedRequests, responseMode, dpop, certificateBoundAccessTokens } = options
    return {
      authority: options.authority,
      clientId: options.clientId,
      authentication: options.clientAuthentication.method,
      request: !pushedAuthorizationRequests ? 'in the URL' : signedRequests === true ? 'pushed and signed' : 'pushed',
      response: responseMode === 'jwt' ? 'signed' : 'plain',
      constraint: dpop ? 'DPoP' : certificateBoundAccessTokens === true ? 'Mtls' : 'none',
      scopes: options.scopes,
      detailTypes: typesOf(options.authorizationDetails),
      // No more of it: a password may be in it.
      ...(httpProxy !== undefined &&
        !goesDirectly(new URL(options.authority), httpProxy) && { httpProxy: new URL(httpProxy.url).host }),
    }
  })
}

/** Each once. */
export function typesOf(details: readonly AuthorizationDetail[] = []): readonly string[] {
  return [...new Set(details.map(({ type }) => type))]
}

export function loginText(login: ExplainedLogin): string {
  const { authority, clientId, authentication, request, response, constraint, scopes, detailTypes, httpProxy } = login
  const bound = { DPoP: 'bound by DPoP', Mtls: 'bound to the certificate', none: 'bound to nothing' }[constraint]
  return [
    `at ${authority} as ${clientId}, by ${authentication}`,
    `the request is ${request}, its answer ${response}`,
    `tokens are ${bound}`,
    `asks for ${[scopes.join(' '), ...detailTypes.map((type) => `details of type ${type}`)].join(', ')}`,
    ...(httpProxy === undefined ? [] : [`called by the HTTP proxy ${httpProxy}`]),
  ].join('; ')
}
