import type { SigningKey } from '../../jose/jwk.js'
import { certificateKey } from '../oauth/client-certificate.js'
import type { EndpointContext } from '../session/koa-session.js'

/** `GET P/jwks`: the public halves of the client's keys, the signing one first, for the authorization server to fetch. */
export function clientKeys(ctx: EndpointContext): void {
  const { clientAuthentication, clientCertificate } = ctx.state.call.frontend.options
  ctx.set('Cache-Control', 'public, max-age=300')
  ctx.type = 'application/jwk-set+json'
  ctx.body = JSON.stringify({
    keys:
      clientAuthentication.method === 'private_key_jwt'
        ? clientAuthentication.keys.map(published)
        : clientAuthentication.method === 'self_signed_tls_client_auth' && clientCertificate !== undefined
          ? [certificateKey(clientCertificate.cert)]
          : [],
  })
}

/** Ed25519 has two names for its algorithm (RFC 9864): a key without one fits both. */
function published({ publicJwk: { alg, ...members } }: SigningKey) {
  return alg === 'Ed25519' || alg === 'EdDSA' ? members : { ...members, alg }
}
