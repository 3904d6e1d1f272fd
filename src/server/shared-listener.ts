import type { IncomingMessage, RequestListener } from 'node:http'
import { Refusal } from '../gateway/refusal.js'
import { parseRequestTarget } from '../gateway/routing/request-target.js'
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
  return pathsOf(request).some(
    (path) =>
      path === base ||
      path.startsWith(`${base}/`) ||
      // RFC 8414 §3.1 puts the well-known part before the issuer's path.
      path === `/.well-known/oauth-authorization-server${base}` ||
      path === `/.well-known/openid-configuration${base}`,
  )
}

/**
 * The path in its one normal form, and as a lenient server may read it: by either it may be the authorization server's, so
 * that no spelling of its paths reaches an API. None: the gateway refuses it.
 */
function pathsOf({ url = '', headers: { host } }: IncomingMessage): readonly string[] {
  try {
    const { path, reading } = parseRequestTarget(url, host)
    return [path, reading]
  } catch (error) {
    if (error instanceof Refusal) return []
    throw error
  }
}
