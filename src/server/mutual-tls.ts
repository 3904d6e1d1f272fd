import type { Configuration } from '../config/load.js'
import { isSameOptions } from '../gateway/reload/same-options.js'
import type { Listener } from './listener.js'

/** Where the authorization server asks clients for a certificate (RFC 8705). Undefined: it has no listener for that. */
export function mutualTlsPlace({ authorizationServer, plan }: Configuration) {
  const mutualTls = authorizationServer?.mutualTls
  if (mutualTls === undefined) return undefined
  return {
    pointer: `${plan.authorizationServer?.mutualTls?.pointer}/Listen`,
    address: mutualTls.listen,
    tls: mutualTls.tls,
    clientCertificates: { authorities: mutualTls.clientAuthorities },
  }
}

/** Another list of authorities holds for connections that stand as well: they come again. */
export function secureMutualTls(listener: Listener | undefined, before: Configuration, next: Configuration): void {
  const [was, is] = [before, next].map(({ authorizationServer }) => authorizationServer?.mutualTls)
  if (listener === undefined || was === undefined || is === undefined || isSameOptions(was, is)) return
  listener.secure(is.tls, { authorities: is.clientAuthorities })
  if (!isSameOptions(was.clientAuthorities, is.clientAuthorities)) listener.reconnect()
}
