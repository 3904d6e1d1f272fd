import type { ServerSettings } from '../config/configuration.js'
import { unixSocketText } from '../http/unix-socket.js'

/** How requests reach a `Server.Listen` that a proxy talks to otherwise than by a port and plain HTTP. */
export interface ExplainedListener {
  /** As `Server.Listen` has it, with an absolute path. */
  readonly socket?: string
  readonly proxyProtocol?: 'V2'
  /** Whose word on who the client is counts. */
  readonly trustedProxies: readonly string[]
}

/** Undefined for a port of plain HTTP: `explain` has nothing to add about it. */
export function explainedListener(
  { listen, proxyProtocol }: Pick<ServerSettings, 'listen' | 'proxyProtocol'>,
  trustedProxies: readonly string[] = [],
): ExplainedListener | undefined {
  const isOfProxies = proxyProtocol === 'v2'
  if (listen.path === undefined && !isOfProxies) return undefined
  return {
    ...(listen.path !== undefined && { socket: unixSocketText(listen.path) }),
    ...(isOfProxies && { proxyProtocol: 'V2' }),
    trustedProxies,
  }
}

export function listenerText({ socket, proxyProtocol, trustedProxies }: ExplainedListener): string {
  if (proxyProtocol === undefined) return `by ${socket}, as from 127.0.0.1; X-Forwarded-For says who the client is`
  const header = 'a header of the PROXY protocol, version 2, which says who the client is'
  return socket === undefined
    ? `from ${trustedProxies.join(', ')} behind ${header}; from elsewhere without one`
    : `by ${socket}, as from 127.0.0.1, behind ${header}`
}
