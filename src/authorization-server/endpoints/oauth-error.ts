import type Koa from 'koa'
import { ProtocolError, type ProtocolErrorCode, UpstreamError } from '../../errors.js'
import { TooManyRequests } from '../../http/limits/network-limit.js'
import { publish } from '../../telemetry/events.js'
import { identityOf } from './identified-request.js'

/** An error as RFC 6749 §5.2 writes it. */
export interface OAuthErrorDocument {
  readonly error: ProtocolErrorCode
  readonly error_description: string
}

/** What an error is to the outside, by whose fault it is. Reports it as an event on the way. */
export interface Refused {
  readonly status: number
  readonly document: OAuthErrorDocument
  /** Seconds until it is worth another try. */
  readonly retryAfter?: number
}

/** @param endpoint For the event. */
export function refused(ctx: Koa.Context, error: unknown, endpoint: string): Refused {
  const identity = identityOf(ctx)
  if (error instanceof ProtocolError) {
    const { code, message } = error
    publish({ type: 'as.request.refused', endpoint, ...identity, code, reason: message })
    return { status: statusOf(code), document: document(code, message) }
  }
  if (error instanceof UpstreamError) {
    // The store that failed is told of by an event of its own (`server.store.failing`).
    publish({ type: 'as.request.refused', endpoint, ...identity, code: 'temporarily_unavailable', reason: error.code })
    const unavailable = document('temporarily_unavailable', 'the server cannot answer now; try again')
    return { status: 503, document: unavailable, retryAfter: 5 }
  }
  // Its limit reports it, once a minute.
  if (error instanceof TooManyRequests)
    return {
      status: 429,
      document: document('temporarily_unavailable', error.message),
      retryAfter: error.retryAfter,
    }
  publish({ type: 'as.request.failed', endpoint, ...identity, error: error instanceof Error ? error.name : 'unknown' })
  return { status: 500, document: document('server_error', 'the server failed') }
}

/** The outermost step of every endpoint that answers clients: errors become documents. */
export function oauthErrors(endpoint: string): Koa.Middleware {
  return async function oauthErrors(ctx, next) {
    ctx.set('Cache-Control', 'no-store')
    ctx.set('Pragma', 'no-cache')
    try {
      await next()
    } catch (error) {
      const { status, document, retryAfter } = refused(ctx, error, endpoint)
      ctx.status = status
      ctx.body = document
      if (retryAfter !== undefined) ctx.set('Retry-After', String(retryAfter))
    }
  }
}

export function statusOf(code: ProtocolErrorCode): 400 | 401 | 403 | 500 | 503 {
  switch (code) {
    case 'invalid_client':
    case 'invalid_token':
      return 401
    case 'insufficient_scope':
      return 403
    case 'server_error':
      return 500
    case 'temporarily_unavailable':
      return 503
    default:
      return 400
  }
}

function document(code: ProtocolErrorCode, message: string): OAuthErrorDocument {
  // RFC 6749 §5.2 allows neither quotation marks nor backslashes in a description.
  return { error: code, error_description: message.replaceAll('"', "'").replaceAll(/[^\x20-\x7e]|\\/g, '?') }
}
