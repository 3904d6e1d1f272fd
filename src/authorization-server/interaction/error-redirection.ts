import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { publish } from '../../telemetry/events.js'
import type { ClientOptions } from '../options.js'
import type { ResponseLocation } from './response-location.js'

export interface ErrorRedirectionOptions {
  readonly responseLocation: ResponseLocation
  readonly clients: ReadonlyMap<string, ClientOptions>
}

/**
 * Where the client hears that its reference is none, if the query names a redirect URI of its own that is registered,
 * exactly. Without one, or with any other, the user is told here: this must not become a way to just any place.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 RFC 6749 §4.1.2.1}
 */
export async function errorRedirection(
  { clients, responseLocation }: ErrorRedirectionOptions,
  ctx: Koa.Context,
  search: URLSearchParams,
  error: unknown,
): Promise<string | undefined> {
  if (!(error instanceof ProtocolError)) return undefined
  const once = (name: string): string | undefined => {
    const [value, ...more] = search.getAll(name)
    return more.length === 0 ? value : undefined
  }
  const [clientId = '', redirectUri = ''] = [once('client_id'), once('redirect_uri')]
  const client = clients.get(clientId)
  if (client?.redirectUris.includes(redirectUri) !== true) return undefined
  const { code, message } = error
  publish({
    type: 'as.request.refused',
    endpoint: 'authorize',
    requestId: ctx.state.requestId,
    client: clientId,
    code,
    reason: message,
  })
  // The state of a pushed request was pushed with it: one in the query beside a reference is not its state.
  const state = search.has('request_uri') ? undefined : once('state')?.slice(0, 4096)
  const isSigned = client.requireSignedResponses === true || ['jwt', 'query.jwt'].includes(once('response_mode') ?? '')
  return responseLocation(
    { client, redirectUri, responseMode: isSigned ? 'jwt' : 'query' },
    { error: code, error_description: message, state },
  )
}
