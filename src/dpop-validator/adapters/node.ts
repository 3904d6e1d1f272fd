import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { endWithAnswer } from '../../http/last-answer.js'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verdict, Verifier } from '../dpop-validator.js'
import { fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import { type Answer, fieldLines } from '../response/challenge.js'
import { unguarded } from '../response/unguarded.js'
import { createRequirementGuards } from './requirement-guards.js'

/** Resolves to who calls, or to undefined when the request was refused and answered. */
export type Guard<Claims extends AccessTokenClaims> = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<Auth<Claims> | undefined>

/**
 * Guards a plain `node:http` handler: `const auth = await guard(request, response); if (auth === undefined) return`.
 */
export function protect<Claims extends AccessTokenClaims>(
  verifier: Verifier<Claims>,
  requirements: Requirements = {},
): Guard<Claims> {
  requireWellFormed(requirements)
  return async function dpopGuard(request, response) {
    const verdict = await verdictOrMistake(verifier, request, requirements)
    switch (verdict.kind) {
      case 'mistake':
        if (!response.headersSent) response.writeHead(500, { 'Cache-Control': 'no-store' })
        response.end()
        return undefined
      case 'accepted':
        for (const [name, value] of verdict.headers) response.setHeader(name, value)
        return verdict.auth
      case 'preflight':
        response.writeHead(204).end()
        return undefined
      case 'public':
      case 'refused':
        send(response, request.method, verdict.answer)
        return undefined
    }
  }
}

/** The same for `server.on('upgrade', …)`, before a WebSocket is opened: a refusal is written to the socket. */
export function protectUpgrade<Claims extends AccessTokenClaims>(
  verifier: Verifier<Claims>,
  requirements: Requirements = {},
): (request: IncomingMessage, socket: Duplex) => Promise<Auth<Claims> | undefined> {
  requireWellFormed(requirements)
  return async function dpopUpgradeGuard(request, socket) {
    // Until the request is let through there is no other listener, and an unhandled error would end the process.
    const ignore = (): void => undefined
    socket.on('error', ignore)
    const verdict = await verdictOrMistake(verifier, request, requirements)
    if (verdict.kind === 'mistake') {
      endWithAnswer(socket, 'HTTP/1.1 500 Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return undefined
    }
    if (verdict.kind === 'accepted') {
      socket.off('error', ignore)
      return verdict.auth
    }
    const answer = verdict.kind === 'refused' ? verdict.answer : unguarded
    const head = fieldLines(answer).map(([name, value]) => `${name}: ${value}\r\n`)
    endWithAnswer(
      socket,
      `HTTP/1.1 ${answer.status} Refused\r\n${head.join('')}Connection: close\r\nContent-Length: ${Buffer.byteLength(answer.body)}\r\n\r\n${answer.body}`,
    )
    return undefined
  }
}

/**
 * Here no framework turns an error of the handler into a 500: an unhandled rejection would end the process for all
 * callers, and with it what it remembers of used proofs.
 */
async function verdictOrMistake<Claims extends AccessTokenClaims>(
  verifier: Verifier<Claims>,
  request: IncomingMessage,
  requirements: Requirements,
): Promise<Verdict<Claims> | { readonly kind: 'mistake' }> {
  try {
    return await verifier.verify(fromIncomingMessage(request), requirements)
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new TypeError('an option threw what is no Error'))
    return { kind: 'mistake' }
  }
}

/** Whether a guarded request is good for it; false when it was refused and answered. */
export type RequestCheck = (auth: Auth, request: IncomingMessage, response: ServerResponse) => boolean

/** What a route needs besides a valid token, behind `protect`. */
export const { requireScopes, requireAcr, requireMaxAge, requireAuthorizationDetails } =
  createRequirementGuards<RequestCheck>(required)

function required(requirements: Requirements): RequestCheck {
  return function sufficient(auth, request, response) {
    const answer = auth.lacks(requirements)
    if (answer !== undefined) send(response, request.method, answer)
    return answer === undefined
  }
}

/** Writes an answer of ours to a response that has not begun. */
export function send(response: ServerResponse, method: string | undefined, answer: Answer): void {
  // A client that disconnected meanwhile, or was answered by other code, gets nothing more.
  if (response.headersSent || response.destroyed) return
  response.statusCode = answer.status
  for (const [name, value] of Object.entries(answer.headers))
    response.setHeader(name, typeof value === 'string' ? value : [...value])
  response.setHeader('Content-Length', Buffer.byteLength(answer.body))
  response.end(method === 'HEAD' ? undefined : answer.body)
}
