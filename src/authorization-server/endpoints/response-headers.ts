import type Koa from 'koa'
import type { Nonces } from '../../dpop/nonce.js'
import { mayPinHttps } from '../../http/secure-url.js'

/** Browsers that were here once never try plain http again (FAPI 2.0 §5.2.3-1). */
export function strictTransportSecurity(issuer: URL): Koa.Middleware {
  return async function strictTransportSecurity(ctx, next) {
    if (mayPinHttps(issuer)) ctx.set('Strict-Transport-Security', 'max-age=31536000')
    ctx.set('X-Content-Type-Options', 'nosniff')
    await next()
  }
}

/** The nonce for the next proof comes with every answer, so that hardly any request is sent twice. */
export function offerNonce(nonces: Nonces | undefined): Koa.Middleware {
  return async function offerNonce(ctx, next) {
    if (nonces !== undefined) ctx.set('DPoP-Nonce', nonces.issue())
    await next()
  }
}
