import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { publish } from '../../telemetry/events.js'
import { seeOther } from '../pages/page-response.js'
import type { SignInSession, SignInSessions } from '../sign-in/sign-in-session.js'
import type { AuthorizationCodes } from '../tokens/authorization-code.js'
import type { Grants } from '../tokens/grant.js'
import type { Interactions, OpenRequest } from './interaction.js'
import type { ResponseLocation } from './response-location.js'

/** The two ways an authorization request ends. Either takes the request, so that it ends once. */
export interface AuthorizationResponse {
  authorize(ctx: Koa.Context, open: OpenRequest, session: SignInSession): Promise<void>
  refuse(ctx: Koa.Context, open: OpenRequest, error: ProtocolError): Promise<void>
}

export interface AuthorizationResponseOptions {
  readonly responseLocation: ResponseLocation
  readonly interactions: Interactions
  readonly sessions: SignInSessions
  readonly grants: Grants
  readonly codes: AuthorizationCodes
  /** Seconds. */
  readonly lifetimes: { readonly code: number }
  readonly now: () => number
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2 RFC 6749 §4.1.2} */
export function createAuthorizationResponse({
  responseLocation,
  interactions,
  sessions,
  grants,
  codes,
  lifetimes,
  now,
}: AuthorizationResponseOptions): AuthorizationResponse {
  return {
    async authorize(ctx, open, session) {
      const request = await interactions.take(open)
      const { clientId, redirectUri, responseMode, codeChallenge, state, nonce, jkt } = request
      const { scopes, target, authorizationDetails } = request
      if (!(await sessions.join(ctx, clientId)))
        throw new ProtocolError('invalid_request', 'the session has ended meanwhile')
      const { subject, claims, sid, authTime, amr, acr } = session
      const user = { subject, claims, sid, authTime, amr, ...(acr !== undefined && { acr }) }
      const details = authorizationDetails === undefined ? {} : { authorizationDetails }
      const grantId = await grants.start({ clientId, scopes, target, user, ...details }, now() + lifetimes.code)
      const code = await codes.issue({
        grantId,
        clientId,
        redirectUri,
        codeChallenge,
        ...(nonce !== undefined && { nonce }),
        ...(jkt !== undefined && { jkt }),
      })
      publish({ type: 'as.code.issued', requestId: ctx.state.requestId, client: clientId, subject })
      const { client } = open
      seeOther(ctx, await responseLocation({ client, redirectUri, responseMode }, { code, state }))
    },

    async refuse(ctx, open, { code, message }) {
      const { clientId, redirectUri, responseMode, state } = await interactions.take(open)
      const { requestId } = ctx.state
      publish({ type: 'as.request.refused', endpoint: 'authorize', requestId, client: clientId, code, reason: message })
      const target = { client: open.client, redirectUri, responseMode }
      seeOther(ctx, await responseLocation(target, { error: code, error_description: message, state }))
    },
  }
}
