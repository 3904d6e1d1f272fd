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
  /** The request of `node:http`. */
  readonly req: IncomingMessage
  /** Of the request. */
  readonly method: string
  /** The target before a mount path was cut off. */
  readonly originalUrl: string
  /** `auth` is there once `protect` has let a request through. */
  readonly state: { auth: Auth }
  /** Of the response. */
  status: number
  /** Of the response. */
  body: unknown
  /** Sets a header field of the response. */
  set(name: string, value: string | string[]): void
}

/** What `app.use` takes. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>

/**
 * Lets only requests with a valid access token and proof through, with `ctx.state.auth` set; answers all others.
 * @param requirements What every request needs besides. Default: nothing.
 * @throws TypeError for requirements that no token could meet
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { protect } from 'sallyport/dpop-validator/koa'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * const app = new Koa().use(protect(verifier))
 * app.use((ctx) => {
 *   ctx.body = { for: ctx.state.auth.subject }
 * })
 * app.listen(8080)
 * ```
 */
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

const guards = createRequirementGuards<KoaMiddleware>(required)

/**
 * All of these scopes; each is compared whole (RFC 6750 §3.1). A token that lacks one is answered 403 `insufficient_scope`.
 * @throws TypeError for what is no scope
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { requireScopes } from 'sallyport/dpop-validator/koa'
 *
 * // Behind protect(verifier).
 * export const app = new Koa().use(requireScopes('orders:read'))
 * ```
 */
export const requireScopes = guards.requireScopes

/**
 * One of these authentication context classes (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError for what is none
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { requireAcr } from 'sallyport/dpop-validator/koa'
 *
 * // Behind protect(verifier).
 * export const app = new Koa().use(requireAcr('urn:example:mfa'))
 * ```
 */
export const requireAcr = guards.requireAcr

/**
 * A sign-in that is at most so many seconds old (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError unless it is a whole number of seconds
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { requireMaxAge } from 'sallyport/dpop-validator/koa'
 *
 * // Behind protect(verifier).
 * export const app = new Koa().use(requireMaxAge(300))
 * ```
 */
export const requireMaxAge = guards.requireMaxAge

/**
 * One element of `authorization_details` that says this (RFC 9396 §9). Otherwise 403 `insufficient_scope`.
 * @example
 * ```ts
 * import Koa from 'koa'
 * import { requireAuthorizationDetails } from 'sallyport/dpop-validator/koa'
 *
 * // Behind protect(verifier).
 * export const app = new Koa().use(requireAuthorizationDetails({ type: 'payment' }))
 * ```
 */
export const requireAuthorizationDetails = guards.requireAuthorizationDetails

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
