import type { IncomingMessage, RequestListener } from 'node:http'
import { clientOf, type IsTrustedPeer } from '../http/trusted-peers.js'

export interface SharedListenerOptions {
  readonly issuer: URL
  readonly isTrustedPeer: IsTrustedPeer
  readonly authorizationServer: RequestListener
  readonly gateway: RequestListener
}

/** One listener for both: what lies below the issuer goes to the authorization server, everything else to the gateway. */
export function sharedListener(options: SharedListenerOptions): RequestListener {
  const { authorizationServer, gateway } = options
  return (request, response) => {
    if (isBelowIssuer(request, options)) authorizationServer(request, response)
    else gateway(request, response)
  }
}

function isBelowIssuer(request: IncomingMessage, { issuer, isTrustedPeer }: SharedListenerOptions): boolean {
  if (clientOf(request, isTrustedPeer).host.toLowerCase() !== issuer.host) return false
  const base = issuer.pathname.replace(/\/$/, '')
  const [path = ''] = (request.url ?? '').split('?', 1)
  return (
    path === base ||
    path.startsWith(`${base}/`) ||
    // RFC 8414 §3.1 puts the well-known part before the issuer's path.
    path === `/.well-known/oauth-authorization-server${base}` ||
    path === `/.well-known/openid-configuration${base}`
  )
}
