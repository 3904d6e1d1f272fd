import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AccessTokenClaims, Auth } from '../auth.js'
import type { Verdict, Verifier } from '../dpop-validator.js'
import { fromIncomingMessage } from '../request/api-request.js'
import { type Requirements, requireWellFormed } from '../request/requirements.js'
import type { Answer } from '../response/challenge.js'
import { answerUnguarded } from '../response/unguarded.js'
import { createRequirementGuards } from './requirement-guards.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set by `protect`. */
    auth: Auth | undefined
  }
  interface FastifyContextConfig {
    /** Scopes that this route needs, checked together with the token. */
    scopes?: readonly string[]
  }
}

/** What `register` takes. */
export type FastifyPlugin = (fastify: FastifyInstance, options: unknown, done: () => void) => void
/** What `preHandler` takes. */
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/**
 * A plugin for the scope it is registered in: only requests with a valid access token and proof get through, with
 * `request.auth` set. A route may name `config: { scopes: [...] }`, which are checked together with the token.
 * @param requirements What every request needs besides. Default: nothing.
 * @throws TypeError for requirements that no token could meet
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7 RFC 9449 §7}
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { createVerifier } from 'sallyport/dpop-validator'
 * import { protect } from 'sallyport/dpop-validator/fastify'
 *
 * const verifier = createVerifier({
 *   issuer: 'https://auth.example.com',
 *   audience: 'https://orders.example.com',
 *   publicUrl: 'https://orders.example.com',
 * })
 * const app = fastify()
 * await app.register(protect(verifier))
 * app.get('/orders', { config: { scopes: ['orders'] } }, (request) => ({ for: request.auth?.subject }))
 * await app.ready()
 * ```
 */
export function protect<Claims extends AccessTokenClaims>(
  verifier: Verifier<Claims>,
  requirements: Requirements = {},
): FastifyPlugin {
  requireWellFormed(requirements)
  const plugin: FastifyPlugin = (fastify, _options, done) => {
    if (!fastify.hasRequestDecorator('auth')) fastify.decorateRequest('auth', undefined)
    fastify.addHook('onRequest', function dpopProtected(request, reply, proceed) {
      const { raw, originalUrl, routeOptions } = request
      const { scopes } = routeOptions.config
      const needed =
        scopes === undefined ? requirements : { ...requirements, scopes: [...(requirements.scopes ?? []), ...scopes] }
      const decided = (verdict: Verdict<Claims>): void => {
        switch (verdict.kind) {
          case 'accepted':
            request.auth = verdict.auth
            for (const [name, value] of verdict.headers) reply.header(name, value)
            proceed()
            break
          case 'preflight':
            proceed()
            break
          case 'public':
          case 'refused':
            send(reply, verdict.answer)
            break
        }
      }
      const deciding = verifier.verify(fromIncomingMessage(raw, originalUrl), needed)
      if (deciding instanceof Promise) deciding.then(decided).catch(proceed)
      else decided(deciding)
    })
    done()
  }
  // Without this a plugin has a scope of its own, and its hook would guard nothing.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

const guards = createRequirementGuards<FastifyHook>(required)

/**
 * All of these scopes; each is compared whole (RFC 6750 §3.1). A token that lacks one is answered 403 `insufficient_scope`.
 * @throws TypeError for what is no scope
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { requireScopes } from 'sallyport/dpop-validator/fastify'
 *
 * // Behind protect(verifier).
 * export const app = fastify()
 * app.get('/orders', { preHandler: requireScopes('orders:read') }, () => [])
 * ```
 */
export const requireScopes = guards.requireScopes

/**
 * One of these authentication context classes (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError for what is none
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { requireAcr } from 'sallyport/dpop-validator/fastify'
 *
 * // Behind protect(verifier).
 * export const app = fastify()
 * app.get('/orders', { preHandler: requireAcr('urn:example:mfa') }, () => [])
 * ```
 */
export const requireAcr = guards.requireAcr

/**
 * A sign-in that is at most so many seconds old (RFC 9470 §3). Otherwise 401 `insufficient_user_authentication`.
 * @throws TypeError unless it is a whole number of seconds
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { requireMaxAge } from 'sallyport/dpop-validator/fastify'
 *
 * // Behind protect(verifier).
 * export const app = fastify()
 * app.get('/orders', { preHandler: requireMaxAge(300) }, () => [])
 * ```
 */
export const requireMaxAge = guards.requireMaxAge

/**
 * One element of `authorization_details` that says this (RFC 9396 §9). Otherwise 403 `insufficient_scope`.
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import { requireAuthorizationDetails } from 'sallyport/dpop-validator/fastify'
 *
 * // Behind protect(verifier).
 * export const app = fastify()
 * app.get('/orders', { preHandler: requireAuthorizationDetails({ type: 'payment' }) }, () => [])
 * ```
 */
export const requireAuthorizationDetails = guards.requireAuthorizationDetails

function required(requirements: Requirements): FastifyHook {
  return function sufficient({ auth, method }, reply, done) {
    const answer = auth === undefined ? answerUnguarded(method) : auth.lacks(requirements)
    if (answer === undefined) done()
    else send(reply, answer)
  }
}

function send(reply: FastifyReply, { status, headers, body }: Answer): void {
  reply.code(status)
  for (const [name, value] of Object.entries(headers)) reply.header(name, value)
  // Bytes, so that no serializer of the application touches them.
  reply.send(Buffer.from(body))
}
