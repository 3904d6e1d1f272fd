import type Koa from 'koa'
import type { OAuthErrorDocument } from './oauth-error.js'

/** @see {@link https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6 RFC 9110 §15.5.6} */
export function refuseMethod(methods: readonly string[]): Koa.Middleware {
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ')
  return async function refuseMethod(ctx) {
    ctx.status = 405
    ctx.set('Allow', allow)
    ctx.body = {
      error: 'invalid_request',
      error_description: 'the method is not allowed here',
    } satisfies OAuthErrorDocument
  }
}
