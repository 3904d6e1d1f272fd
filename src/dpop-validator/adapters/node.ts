import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { endWithAnswer } from '../../http/last-answer.js'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verdict, Verifier } from '../dpop-validator.js'
import { fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import { fieldLines } from '../response/challenge.js'
import { send } from '../response/send-answer.js'
import { unguarded } from '../response/unguarded.js'
import { createRequirementGuards } from './requirement-guards.js'

/** Resolves to who calls, or to undefined when the request was refused and answered. */
export type Guard<Claims extends AccessTokenClaims = AccessTokenClaims> = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<Auth<Claims> | undefined>

/**
 * Guards a plain `node:http` handler: undefined means that the request was refused and answered. What an option throws is
 * answered 500, with a warning of the process.
 * @param requirements What every request needs besides. Default: nothing.
 * @throws TypeError for requirements that no token could meet
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { protect } from 'sallyport/dpop-validator/node'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * const guard = protect(verifier)
 * createServer(async (request, response) => {
 *   const auth = await guard(request, response)
 *   if (auth !== undefined) response.end(auth.subject)
 * }).listen(8080)
 * ```
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

/**
 * The same for `server.on('upgrade', …)`, before a WebSocket is opened: a refusal is written to the socket.
 * @param requirements What every request needs besides. Default: nothing.
 * @throws TypeError for requirements that no token could meet
 * @example
 * ```ts
 * import { createServer } from 'node:http'
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { protectUpgrade } from 'sallyport/dpop-validator/node'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * const guard = protectUpgrade(verifier)
 * createServer().on('upgrade', async (request, socket) => {
 *   const auth = await guard(request, socket)
 *   // Here a WebSocket library takes over.
 *   if (auth !== undefined) socket.end()
 * }).listen(8080)
 * ```
 */
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

const guards = createRequirementGuards<RequestCheck>(required)

/**
 * All of these scopes; each is compared whole (RFC 6750 §3.1). A token that lacks one is answered 403 `insufficient_scope`.
 * @throws TypeError for what is no scope
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from 'node:http'
 * import { type Guard, requireScopes } from 'sallyport/dpop-validator/node'
 *
 * const isGood = requireScopes('orders:read')
 * export async function handler(guard: Guard, request: IncomingMessage, response: ServerResponse): Promise<void> {
 *   const auth = await guard(request, response)
 *   if (auth !== undefined && isGood(auth, request, response)) response.end('here you are')
 * }
 * ```
 */
export const requireScopes = guards.requireScopes

/**
 * One of these authentication context classes (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError for what is none
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from 'node:http'
 * import { type Guard, requireAcr } from 'sallyport/dpop-validator/node'
 *
 * const isGood = requireAcr('urn:example:mfa')
 * export async function handler(guard: Guard, request: IncomingMessage, response: ServerResponse): Promise<void> {
 *   const auth = await guard(request, response)
 *   if (auth !== undefined && isGood(auth, request, response)) response.end('here you are')
 * }
 * ```
 */
export const requireAcr = guards.requireAcr

/**
 * A sign-in that is at most so many seconds old (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError unless it is a whole number of seconds
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from 'node:http'
 * import { type Guard, requireMaxAge } from 'sallyport/dpop-validator/node'
 *
 * const isGood = requireMaxAge(300)
 * export async function handler(guard: Guard, request: IncomingMessage, response: ServerResponse): Promise<void> {
 *   const auth = await guard(request, response)
 *   if (auth !== undefined && isGood(auth, request, response)) response.end('here you are')
 * }
 * ```
 */
export const requireMaxAge = guards.requireMaxAge

/**
 * One element of `authorization_details` that says this (RFC 9396 §9). Otherwise 403 `insufficient_scope`.
 * @example
 * ```ts
 * import type { IncomingMessage, ServerResponse } from 'node:http'
 * import { type Guard, requireAuthorizationDetails } from 'sallyport/dpop-validator/node'
 *
 * const isGood = requireAuthorizationDetails({ type: 'payment' })
 * export async function handler(guard: Guard, request: IncomingMessage, response: ServerResponse): Promise<void> {
 *   const auth = await guard(request, response)
 *   if (auth !== undefined && isGood(auth, request, response)) response.end('here you are')
 * }
 * ```
 */
export const requireAuthorizationDetails = guards.requireAuthorizationDetails

function required(requirements: Requirements): RequestCheck {
  return function sufficient(auth, request, response) {
    const answer = auth.lacks(requirements)
    if (answer !== undefined) send(response, request.method, answer)
    return answer === undefined
  }
}
