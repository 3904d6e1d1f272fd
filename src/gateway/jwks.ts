import type { EndpointContext } from './session.js'

/** `GET P/jwks`: the public halves of the client's keys, the signing one first, for the authorization server to fetch. */
export function clientKeys(ctx: EndpointContext): void {
  const { clientAuthentication } = ctx.state.call.frontend.options
  ctx.set('Cache-Control', 'public, max-age=300')
  ctx.type = 'application/jwk-set+json'
  ctx.body = JSON.stringify({
    keys:
      clientAuthentication.method === 'private_key_jwt'
        ? clientAuthentication.keys.map(({ publicJwk }) => publicJwk)
        : [],
  })
}
