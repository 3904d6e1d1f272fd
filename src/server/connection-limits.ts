import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { networksOf } from '../http/limits/networks.js'
import type { ListenerLimits } from '../http/listener-limits.js'
import type { IsTrustedPeer } from '../http/trusted-peers.js'
import { announceFull } from './listener-refusal.js'

/** Closes what is beyond the limits as soon as it stands, before a byte of it is read and before TLS. */
export function limitConnections(
  server: Server,
  { connections, connectionsPerAddress }: ListenerLimits,
  isTrustedPeer: IsTrustedPeer,
): void {
  const open = new Map<string, number>()
  server.maxConnections = connections
  server.on('drop', () => announceFull('connections'))
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket
    // It speaks for many, and has its own limits.
    if (remoteAddress === undefined || isTrustedPeer(remoteAddress)) return
    const [{ name }] = networksOf(remoteAddress)
    const count = (open.get(name) ?? 0) + 1
    if (count > connectionsPerAddress) {
      announceFull('connections-per-address')
      socket.destroy()
      return
    }
    open.set(name, count)
    socket.once('close', () => {
      const left = (open.get(name) ?? 1) - 1
      if (left > 0) open.set(name, left)
      else open.delete(name)
    })
  })
}
