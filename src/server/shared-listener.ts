import type { IncomingMessage, RequestListener } from 'node:http'
import { isSameHost } from '../http/host.js'
import { clientOf, type IsTrustedPeer } from '../http/trusted-peers.js'

export interface SharedListenerOptions {
  readonly issuer: URL
  /** Whose `X-Forwarded-Host` counts. */
  readonly saysHost: IsTrustedPeer
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

function isBelowIssuer(request: IncomingMessage, { issuer, saysHost }: SharedListenerOptions): boolean {
  const { host } = clientOf(request, saysHost, saysHost)
  if (!isSameHost(host, issuer.host)) return false
  const base = issuer.pathname.replace(/\/$/, '')
  const path = pathOf(request)
  return (
    path === base ||
    path.startsWith(`${base}/`) ||
    // RFC 8414 §3.1 puts the well-known part before the issuer's path.
    path === `/.well-known/oauth-authorization-server${base}` ||
    path === `/.well-known/openid-configuration${base}`
  )
}

/** An absolute-form target as well, where it names the host that `Host` names. Elsewhere the gateway refuses it. */
function pathOf({ url = '', headers: { host = '' } }: IncomingMessage): string {
  const [, authority, target] = /^https?:\/\/([^/?]*)(.*)$/is.exec(url) ?? []
  const isOurs = authority?.toLowerCase() === host.toLowerCase()
  const [path = ''] = (isOurs && target !== undefined ? target : url).split('?', 1)
  return path
}
