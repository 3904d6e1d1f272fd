import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { IsTrustedPeer } from '../http/trusted-peers.js'
import { connectionName } from './connection-name.js'
import { announceUnnamed } from './listener-refusal.js'
import { type ProxyHeader, readProxyHeader } from './proxy-header.js'

/** A header that says whose connection it is. */
type NamedConnection = Extract<ProxyHeader, { readonly kind: 'local' | 'proxied' }>

/** Seconds in which the header has to be there. A proxy writes it with its first packet. */
const patience = 5

/**
 * Each connection of a proxy of ours begins with a header that says who the client is, before TLS; one that has none, or not in
 * time, is closed. Connections of all others are theirs, and what looks like a header is no request.
 * To be called when all that listens to connections does so: it hears of one when the client is known, and `remoteAddress` is the client's.
 */
export function expectProxyHeaders(server: Server, isProxy: IsTrustedPeer, seconds = patience): void {
  const listeners = server.listeners('connection') as ((socket: Socket) => void)[]
  server.removeAllListeners('connection')
  const begin = (socket: Socket): void => {
    for (const listener of listeners) listener.call(server, socket)
  }
  const headers = new Map<string, NamedConnection>()
  server.on('connection', (socket: Socket) => {
    if (!isProxy(socket.remoteAddress)) return begin(socket)
    readHeader(socket, seconds, (header) => {
      const connection = connectionName(socket)
      headers.set(connection, header)
      socket.once('close', () => {
        // Its port may have been taken for another one by then.
        if (headers.get(connection) === header) headers.delete(connection)
      })
      nameClient(socket, header)
      begin(socket)
    })
  })
  server.prependListener('secureConnection', (socket: Socket) => {
    const header = headers.get(connectionName(socket))
    if (header !== undefined) nameClient(socket, header)
    // A client whose name is lost must not have the trust of the proxy.
    else if (isProxy(socket.remoteAddress)) socket.destroy()
  })
}

function readHeader(socket: Socket, seconds: number, onHeader: (header: NamedConnection) => void): void {
  let bytes = Buffer.alloc(0)
  const refuse = (): void => {
    announceUnnamed()
    socket.destroy()
  }
  const timer = setTimeout(refuse, seconds * 1000)
  const stop = (): void => {
    clearTimeout(timer)
    socket.off('readable', onReadable).off('end', refuse).off('close', stop)
  }
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    const header = readProxyHeader(bytes)
    switch (header.kind) {
      case 'incomplete':
        return
      case 'malformed':
        stop()
        refuse()
        return
      default:
        stop()
        // What comes behind it is the client's.
        if (bytes.length > header.length) socket.unshift(bytes.subarray(header.length))
        // The socket stops being read by us at the end of this turn.
        setImmediate(() => {
          // One that has ended meanwhile without a request would not tell those who listen from now on.
          if (socket.readableEnded) socket.destroy()
          else if (!socket.destroyed) onHeader(header)
        })
    }
  }
  // Without a listener a reset would end the process; those who listen later have their own.
  socket
    .on('error', () => {})
    .on('readable', onReadable)
    .once('end', refuse)
    .once('close', stop)
}

function nameClient(socket: Socket, header: NamedConnection): void {
  if (header.kind === 'proxied') Object.defineProperty(socket, 'remoteAddress', { value: header.address })
}
