import type Koa from 'koa'
import { claimedRequestId, requestIdOf } from '../../http/request-id.js'
import { originOf } from '../../http/request-origin.js'
import type { IsTrustedPeer } from '../../http/trusted-peers.js'
import { continueOrigin, noteOrigin } from '../../telemetry/request-origin.js'
import { describeRequest, noteTrace } from '../../telemetry/request-traces.js'

/** Each request has an id: that of a proxy of ours, or a new one. Its events and its answer name it. */
export function identifiedRequest(isTrustedPeer: IsTrustedPeer): Koa.Middleware {
  return async function identifiedRequest(ctx, next) {
    const requestId = requestIdOf(ctx.req, isTrustedPeer)
    noteOrigin('as', requestId, () => originOf(ctx.req, isTrustedPeer))
    nameBy(ctx, requestId)
    await next()
  }
}

/** From here on the request is part of another that has an id: a login keeps one from its beginning to its end. */
export function continueAs(ctx: Koa.Context, requestId: string): void {
  continueOrigin('as', ctx.state.requestId, requestId)
  nameBy(ctx, requestId)
}

function nameBy(ctx: Koa.Context, requestId: string): void {
  ctx.state.requestId = requestId
  ctx.set('X-Request-Id', requestId)
  noteTrace(ctx.req, 'as', requestId)
  describeRequest(ctx.req, requestId)
}

/** A client that has proved who it is may say which of its own requests this one belongs to. Before that it is only noted. */
export function knownClient(ctx: Koa.Context, clientId: string): void {
  ctx.state.clientId = clientId
  const claimed = claimedRequestId(ctx.req)
  if (claimed !== undefined) continueAs(ctx, claimed)
}

/** What an event says of the request that it belongs to. */
export function identityOf(ctx: Koa.Context): RequestIdentity {
  const { requestId, clientId } = ctx.state as { readonly requestId: string; readonly clientId?: string }
  const claimed = clientId === undefined ? claimedRequestId(ctx.req) : undefined
  return {
    requestId,
    ...(clientId !== undefined && { client: clientId }),
    ...(claimed !== undefined && claimed !== requestId && { claimedRequestId: claimed }),
  }
}

export interface RequestIdentity {
  readonly requestId: string
  /** Where it is known. */
  readonly client?: string
  /** What a sender said who has not proved to be a client. */
  readonly claimedRequestId?: string
}
