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

export type FastifyPlugin = (fastify: FastifyInstance, options: unknown, done: () => void) => void
export type FastifyHook = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void

/** A plugin for the scope it is registered in: `request.auth`, and the route option `config: { scopes: [...] }`. */
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

/** What a route needs besides a valid token, for its `preHandler`, behind `protect`. */
export const { requireScopes, requireAcr, requireMaxAge, requireAuthorizationDetails } =
  createRequirementGuards<FastifyHook>(required)

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
