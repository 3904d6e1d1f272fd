import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verdict, Verifier } from '../dpop-validator.js'
import { fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import { answerUnguarded } from '../response/unguarded.js'
import { send } from './node.js'
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
  readonly originalUrl: string
  auth?: Auth
}

export type ExpressMiddleware = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** Lets only requests with a valid access token and proof through, with `req.auth` set. */
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

/** What a route needs besides a valid token, behind `protect`. */
export const { requireScopes, requireAcr, requireMaxAge, requireAuthorizationDetails } =
  createRequirementGuards<ExpressMiddleware>(required)

function required(requirements: Requirements): ExpressMiddleware {
  return function sufficient(request, response, next) {
    const { auth, method } = request
    const answer = auth === undefined ? answerUnguarded(method) : auth.lacks(requirements)
    if (answer === undefined) next()
    else send(response, method, answer)
  }
}
