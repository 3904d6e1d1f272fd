import type { IncomingMessage } from 'node:http'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verifier } from '../dpop-validator.js'
import { type ApiRequest, fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import type { AuthError } from '../response/auth-error.js'
import { type Answer, fieldLines } from '../response/challenge.js'
import { createRequirementGuards } from './requirement-guards.js'

/** Answers a request. `Context` is what `protect` adds: who calls. */
export type FetchHandler<Context> = (request: Request, context: Context) => Response | Promise<Response>

/** What has been decided, with the response to give or the header fields to add. */
export type FetchVerdict<Claims extends AccessTokenClaims> =
  | { readonly ok: true; readonly auth: Auth<Claims>; readonly headers: readonly (readonly [string, string])[] }
  | { readonly ok: false; readonly response: Response; readonly error: AuthError | undefined }

/**
 * What a server that runs Fetch handlers on Node passes along with the request, as `@hono/node-server` does. With it the
 * request is checked as it was sent; without it as `Request` shows it, which is what the handler sees as well.
 */
export interface NodeBindings {
  /** The request of `node:http`. */
  readonly incoming: IncomingMessage
}

/**
 * Decides about a Fetch request: who calls, or the response to give.
 * @param requirements What the request needs besides. Default: nothing.
 * @param server What the server passed along: `NodeBindings`, or anything else, which is not looked at.
 * @example
 * ```ts
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { verifyRequest } from 'sallyport/dpop-validator/fetch'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * export async function handler(request: Request): Promise<Response> {
 *   const verdict = await verifyRequest(verifier, request, { scopes: ['orders'] })
 *   return verdict.ok ? Response.json({ for: verdict.auth.subject }) : verdict.response
 * }
 * ```
 */
export async function verifyRequest<Claims extends AccessTokenClaims>(
  verifier: Verifier<Claims>,
  request: Request,
  requirements: Requirements = {},
  server?: unknown,
): Promise<FetchVerdict<Claims>> {
  const sent = hasNodeRequest(server) ? fromIncomingMessage(server.incoming) : fromRequest(request)
  const verdict = await verifier.verify(sent, requirements)
  switch (verdict.kind) {
    case 'accepted':
      return { ok: true, auth: verdict.auth, headers: verdict.headers }
    case 'preflight':
      return { ok: false, response: new Response(null, { status: 204 }), error: undefined }
    case 'public':
      return { ok: false, response: toResponse(verdict.answer, request.method), error: undefined }
    case 'refused':
      return { ok: false, response: toResponse(verdict.answer, request.method), error: verdict.error }
  }
}

/**
 * Wraps a Fetch handler: it is called with who calls, and only for requests with a valid access token and proof.
 * @param requirements What every request needs besides. Default: nothing.
 * @throws TypeError for requirements that no token could meet
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}
 * @example
 * ```ts
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { protect } from 'sallyport/dpop-validator/fetch'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * // For Node with a Fetch server, Bun.serve, Deno.serve, workers.
 * export const handler = protect(verifier)((_request, auth) => Response.json({ for: auth.subject }))
 * ```
 */
export function protect<Claims extends AccessTokenClaims>(verifier: Verifier<Claims>, requirements: Requirements = {}) {
  requireWellFormed(requirements)
  return (handler: FetchHandler<Auth<Claims>>) =>
    async function dpopProtected(request: Request, server?: unknown): Promise<Response> {
      const verdict = await verifyRequest(verifier, request, requirements, server)
      if (!verdict.ok) return verdict.response
      const response = await handler(request, verdict.auth)
      if (verdict.headers.length === 0) return response
      // A response that came from `fetch` has header fields that cannot be changed.
      const headers = new Headers(response.headers)
      for (const [name, value] of verdict.headers) headers.set(name, value)
      return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
    }
}

/** Wraps a handler that `protect` wraps in turn. */
export type HandlerWrapper = <Context extends Auth>(handler: FetchHandler<Context>) => FetchHandler<Context>

const guards = createRequirementGuards<HandlerWrapper>(required)

/**
 * All of these scopes; each is compared whole (RFC 6750 §3.1). A token that lacks one is answered 403 `insufficient_scope`.
 * @throws TypeError for what is no scope
 * @example
 * ```ts
 * import type { Verifier } from 'sallyport/dpop-validator'
 * import { protect, requireScopes } from 'sallyport/dpop-validator/fetch'
 *
 * export const handler = (verifier: Verifier) =>
 *   protect(verifier)(requireScopes('orders:read')((_request, auth) => Response.json({ for: auth.subject })))
 * ```
 */
export const requireScopes = guards.requireScopes

/**
 * One of these authentication context classes (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError for what is none
 * @example
 * ```ts
 * import type { Verifier } from 'sallyport/dpop-validator'
 * import { protect, requireAcr } from 'sallyport/dpop-validator/fetch'
 *
 * export const handler = (verifier: Verifier) =>
 *   protect(verifier)(requireAcr('urn:example:mfa')((_request, auth) => Response.json({ for: auth.subject })))
 * ```
 */
export const requireAcr = guards.requireAcr

/**
 * A sign-in that is at most so many seconds old (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError unless it is a whole number of seconds
 * @example
 * ```ts
 * import type { Verifier } from 'sallyport/dpop-validator'
 * import { protect, requireMaxAge } from 'sallyport/dpop-validator/fetch'
 *
 * export const handler = (verifier: Verifier) =>
 *   protect(verifier)(requireMaxAge(300)((_request, auth) => Response.json({ for: auth.subject })))
 * ```
 */
export const requireMaxAge = guards.requireMaxAge

/**
 * One element of `authorization_details` that says this (RFC 9396 §9). Otherwise 403 `insufficient_scope`.
 * @example
 * ```ts
 * import type { Verifier } from 'sallyport/dpop-validator'
 * import { protect, requireAuthorizationDetails } from 'sallyport/dpop-validator/fetch'
 *
 * export const handler = (verifier: Verifier) =>
 *   protect(verifier)(requireAuthorizationDetails({ type: 'payment' })((_request, auth) => Response.json({ for: auth.subject })))
 * ```
 */
export const requireAuthorizationDetails = guards.requireAuthorizationDetails

function required(requirements: Requirements): HandlerWrapper {
  return (handler) =>
    function sufficient(request, auth) {
      const answer = auth.lacks(requirements)
      return answer === undefined ? handler(request, auth) : toResponse(answer, request.method)
    }
}

function hasNodeRequest(server: unknown): server is NodeBindings {
  if (typeof server !== 'object' || server === null || !('incoming' in server)) return false
  const { incoming } = server
  return typeof incoming === 'object' && incoming !== null && 'rawHeaders' in incoming && 'socket' in incoming
}

/**
 * Repeated header fields arrive here joined by commas, which no credential and no proof can contain. The URL is cut rather than
 * parsed: Deno hands it out as it was sent, dot segments and all, and Bun without a host where Host is unusable.
 */
function fromRequest({ method, url, headers }: Request): ApiRequest {
  const [, host = '', target = url] = /^https?:\/\/([^/?#\\]*)(.*)$/is.exec(url) ?? []
  const rawHeaders = [...headers].flat()
  return {
    method,
    target,
    rawHeaders: headers.has('host') ? rawHeaders : [...rawHeaders, 'host', host],
    peer: undefined,
  }
}

function toResponse(answer: Answer, method: string): Response {
  const headers = new Headers()
  for (const [name, value] of fieldLines(answer)) headers.append(name, value)
  return new Response(method === 'HEAD' ? null : answer.body, { status: answer.status, headers })
}
