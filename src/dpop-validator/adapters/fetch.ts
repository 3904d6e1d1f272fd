import type { IncomingMessage } from 'node:http'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verifier } from '../dpop-validator.js'
import { type ApiRequest, fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import type { AuthError } from '../response/auth-error.js'
import { type Answer, fieldLines } from '../response/challenge.js'
import { createRequirementGuards } from './requirement-guards.js'

export type FetchHandler<Context> = (request: Request, context: Context) => Response | Promise<Response>

export type FetchVerdict<Claims extends AccessTokenClaims> =
  | { readonly ok: true; readonly auth: Auth<Claims>; readonly headers: readonly (readonly [string, string])[] }
  | { readonly ok: false; readonly response: Response; readonly error: AuthError | undefined }

/**
 * What a server that runs Fetch handlers on Node passes along with the request, as `@hono/node-server` does. With it the
 * request is checked as it was sent; without it as `Request` shows it, which is what the handler sees as well.
 */
export interface NodeBindings {
  readonly incoming: IncomingMessage
}

/**
 * Decides about a Fetch request: who calls, or the response to give.
 * @param server What the server passed along: `NodeBindings`, or anything else, which is not looked at.
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

/** Wraps a handler: `protect(verifier)((request, auth) => Response.json({ subject: auth.subject }))`. */
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

type HandlerWrapper = <Context extends Auth>(handler: FetchHandler<Context>) => FetchHandler<Context>

/** What a route needs besides a valid token: `protect(verifier)(requireScopes('orders:read')(handler))`. */
export const { requireScopes, requireAcr, requireMaxAge, requireAuthorizationDetails } =
  createRequirementGuards<HandlerWrapper>(required)

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
