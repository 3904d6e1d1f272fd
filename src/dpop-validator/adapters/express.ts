import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verdict, Verifier } from '../dpop-validator.js'
import { fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import { send } from '../response/send-answer.js'
import { answerUnguarded } from '../response/unguarded.js'
import { createRequirementGuards } from './requirement-guards.js'

declare global {
  namespace Express {
    interface Request {
      /** Who calls; set by `protect`. */
      auth?: Auth
    }
  }
}

/** What of an Express request is used here; that of Express 4 and of 5 is one. */
export interface ExpressRequest extends IncomingMessage {
  /** The target before a mount path was cut off. */
  readonly originalUrl: string
  /** Who calls; set by `protect`. */
  auth?: Auth
}

/** What `app.use` takes. */
export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Lets only requests with a valid access token and proof through, with `req.auth` set; answers all others. For Express 4 and 5.
 * @param requirements What every request needs besides. Default: nothing.
 * @throws TypeError for requirements that no token could meet
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}
 * @example
 * ```ts
 * import express from 'express'
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { protect } from 'sallyport/dpop-validator/express'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * const app = express().use(protect(verifier))
 * app.get('/orders', (request, response) => {
 *   response.json({ for: request.auth?.subject })
 * })
 * app.listen(8080)
 * ```
 */
export function protect<Claims extends AccessTokenClaims>(
  verifier: Verifier<Claims>,
  requirements: Requirements = {},
): ExpressMiddleware {
  requireWellFormed(requirements)
  return function dpopProtected(request, response, next) {
    const proceed = (verdict: Verdict<Claims>): void => {
      switch (verdict.kind) {
        case 'accepted':
          request.auth = verdict.auth
          for (const [name, value] of verdict.headers) response.setHeader(name, value)
          next()
          break
        case 'preflight':
          next()
          break
        case 'public':
        case 'refused':
          send(response, request.method, verdict.answer)
          break
      }
    }
    const deciding = verifier.verify(fromIncomingMessage(request, request.originalUrl), requirements)
    // Express 4 does not look at what a handler returns: nothing may be left to reject.
    if (deciding instanceof Promise) deciding.then(proceed).catch(next)
    else proceed(deciding)
  }
}

const guards = createRequirementGuards<ExpressMiddleware>(required)

/**
 * All of these scopes; each is compared whole (RFC 6750 §3.1). A token that lacks one is answered 403 `insufficient_scope`.
 * @throws TypeError for what is no scope
 * @example
 * ```ts
 * import { Router } from 'express'
 * import { requireScopes } from 'sallyport/dpop-validator/express'
 *
 * // Behind protect(verifier).
 * export const orders = Router().use(requireScopes('orders:read'))
 * ```
 */
export const requireScopes = guards.requireScopes

/**
 * One of these authentication context classes (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError for what is none
 * @example
 * ```ts
 * import { Router } from 'express'
 * import { requireAcr } from 'sallyport/dpop-validator/express'
 *
 * // Behind protect(verifier).
 * export const orders = Router().use(requireAcr('urn:example:mfa'))
 * ```
 */
export const requireAcr = guards.requireAcr

/**
 * A sign-in that is at most so many seconds old (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError unless it is a whole number of seconds
 * @example
 * ```ts
 * import { Router } from 'express'
 * import { requireMaxAge } from 'sallyport/dpop-validator/express'
 *
 * // Behind protect(verifier).
 * export const orders = Router().use(requireMaxAge(300))
 * ```
 */
export const requireMaxAge = guards.requireMaxAge

/**
 * One element of `authorization_details` that says this (RFC 9396 §9). Otherwise 403 `insufficient_scope`.
 * @example
 * ```ts
 * import { Router } from 'express'
 * import { requireAuthorizationDetails } from 'sallyport/dpop-validator/express'
 *
 * // Behind protect(verifier).
 * export const orders = Router().use(requireAuthorizationDetails({ type: 'payment' }))
 * ```
 */
export const requireAuthorizationDetails = guards.requireAuthorizationDetails

function required(requirements: Requirements): ExpressMiddleware {
  return function sufficient(request, response, next) {
    const { auth, method } = request
    const answer = auth === undefined ? answerUnguarded(method) : auth.lacks(requirements)
    if (answer === undefined) next()
    else send(response, method, answer)
  }
}
