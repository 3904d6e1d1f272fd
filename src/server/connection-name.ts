import type { Socket } from 'node:net'

/** Names an open connection by both of its ends. Node.js gives the socket of TLS those of the connection below it, and no way to that one. */
export function connectionName({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(' ')
}
