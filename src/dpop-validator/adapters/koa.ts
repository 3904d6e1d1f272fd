import type { IncomingMessage } from 'node:http'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verifier } from '../dpop-validator.js'
import { fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import type { Answer } from '../response/challenge.js'
import { answerUnguarded } from '../response/unguarded.js'
import { createRequirementGuards } from './requirement-guards.js'

/** What of a Koa context is used here; any Koa 2 or 3 context is one. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly method: string
  readonly originalUrl: string
  /** `auth` is there once `protect` has let a request through. */
  readonly state: { auth: Auth }
  status: number
  body: unknown
  set(name: string, value: string | string[]): void
}

export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>

/** Lets only requests with a valid access token and proof through, with `ctx.state.auth` set. */
export function protect<Claims extends AccessTokenClaims>(
  verifier: Verifier<Claims>,
  requirements: Requirements = {},
): KoaMiddleware {
  requireWellFormed(requirements)
  return async function dpopProtected(context, next) {
    const { req, originalUrl } = context
    const deciding = verifier.verify(fromIncomingMessage(req, originalUrl), requirements)
    // Most requests are decided at once; they need not wait for a turn of the event loop.
    const verdict = deciding instanceof Promise ? await deciding : deciding
    switch (verdict.kind) {
      case 'accepted':
        context.state.auth = verdict.auth
        for (const [name, value] of verdict.headers) context.set(name, value)
        await next()
        return
      case 'preflight':
        await next()
        return
      case 'public':
      case 'refused':
        send(context, verdict.answer)
        return
    }
  }
}

/** What a route needs besides a valid token, behind `protect`. */
export const { requireScopes, requireAcr, requireMaxAge, requireAuthorizationDetails } =
  createRequirementGuards<KoaMiddleware>(required)

function required(requirements: Requirements): KoaMiddleware {
  return async function sufficient(context, next) {
    const auth: Auth | undefined = context.state.auth
    const answer = auth === undefined ? answerUnguarded(context.method) : auth.lacks(requirements)
    if (answer === undefined) await next()
    else send(context, answer)
  }
}

function send(context: KoaContext, { status, headers, body }: Answer): void {
  context.status = status
  for (const [name, value] of Object.entries(headers)) context.set(name, typeof value === 'string' ? value : [...value])
  context.body = body
}
