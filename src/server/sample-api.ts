import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import { protect } from '../dpop-validator/adapters/koa.js'
import type { Auth } from '../dpop-validator/auth.js'
import { createVerifier } from '../dpop-validator/dpop-validator.js'
import type { VerifierOptions } from '../dpop-validator/options.js'

/**
 * An API like one of yours, with the validator mounted. It tells what it saw of the call, and never the token.
 * @param watchedAt Where its calls are drawn.
 */
export function createSampleApi(options: VerifierOptions, watchedAt?: string): Koa {
  const seen = (context: Context) => ({ ...seenBy(context), ...(watchedAt !== undefined && { watchedAt }) })
  const orders: Order[] = [
    { id: 1, item: 'Portcullis oil', quantity: 2 },
    { id: 2, item: 'Drawbridge chain', quantity: 1 },
  ]
  const router = new Router()
  router.get('/api/orders', (context) => {
    context.body = { orders, seen: seen(context) }
  })
  router.post('/api/orders', (context) => {
    const order = { id: (orders.at(-1)?.id ?? 0) + 1, item: 'Arrow slit, narrow', quantity: 1 }
    orders.push(order)
    // It is a sample: it must not grow without limit.
    if (orders.length > 10) orders.shift()
    context.status = 201
    context.body = { order, seen: seen(context) }
  })
  router.get('/api/whoami', (context) => {
    context.body = { seen: seen(context) }
  })

  const api = new Koa()
  api.silent = true
  api.use(protect(createVerifier(options)))
  api.use(router.routes())
  api.use(router.allowedMethods())
  return api
}

interface Order {
  readonly id: number
  readonly item: string
  readonly quantity: number
}

/** What the validator found out about a call. */
function seenBy(context: Context) {
  const { scheme, jkt, subject, clientId, scopes, claims } = context.state.auth as Auth
  return {
    scheme,
    keyThumbprint: jkt,
    subject,
    clientId,
    scopes: [...scopes],
    audience: claims.aud,
    proof: proofClaims(context.get('DPoP')),
  }
}

/** The proof has been verified; here it is only shown. */
function proofClaims(proof: string) {
  const [, body = ''] = proof.split('.')
  if (body === '') return undefined
  const { htm, htu, iat, jti, ath } = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Record<
    string,
    unknown
  >
  return { htm, htu, iat, jti, ath }
}
