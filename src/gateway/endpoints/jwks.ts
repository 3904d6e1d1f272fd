import type { SigningKey } from '../../jose/jwk.js'
import { clientsOf } from '../authorities/authorities.js'
import { keysOf } from '../oauth/client-authentication.js'
import { certificateKey } from '../oauth/client-certificate.js'
import type { FrontendOptions } from '../options.js'
import type { EndpointContext } from '../session/koa-session.js'

/**
 * `GET P/jwks`: the public halves of the client's keys, the signing one first, for the authorization server to fetch. With
 * several servers those of each: a server takes what it knows the client by.
 */
export function clientKeys(ctx: EndpointContext): void {
  const keys = clientsOf(ctx.state.call.frontend.options).flatMap(({ options }) => publishedKeysOf(options))
  const each = new Map(keys.map((key) => [JSON.stringify(key), key]))
  answerKeys(ctx, [...each.values()])
}

function publishedKeysOf({ clientAuthentication, clientCertificate }: FrontendOptions): readonly object[] {
  const keys = keysOf(clientAuthentication).map(published)
  return clientAuthentication.method === 'self_signed_tls_client_auth' && clientCertificate !== undefined
    ? [...keys, certificateKey(clientCertificate.cert)]
    : keys
}

/** `GET P/assertion-jwks`: what APIs check assertions of identity with. */
export function assertionKeys(ctx: EndpointContext): void {
  const { assertionKeys: keys = [] } = ctx.state.call.frontend.options
  answerKeys(ctx, keys.map(published))
}

function answerKeys(ctx: EndpointContext, keys: readonly object[]): void {
  ctx.set('Cache-Control', 'public, max-age=300')
  ctx.type = 'application/jwk-set+json'
  ctx.body = JSON.stringify({ keys })
}

/** Ed25519 has two names for its algorithm (RFC 9864): a key without one fits both. */
function published({ publicJwk: { alg, ...members } }: SigningKey) {
  return alg === 'Ed25519' || alg === 'EdDSA' ? members : { ...members, alg }
}
