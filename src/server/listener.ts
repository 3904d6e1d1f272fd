import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ListenAddress } from '../config/listen-address.js'
import type { Certificate } from '../config/options/certificates.js'
import { ConfigurationError } from '../errors.js'
import { type ListenerLimits, listenerLimitDefaults } from '../http/listener-limits.js'
import type { IsTrustedPeer } from '../http/trusted-peers.js'
import { unixPrefix } from '../http/unix-socket.js'
import { passOverOtherUpgrades } from '../http/upgrade.js'
import { tracedRequests, tracedUpgrades } from '../telemetry/traced-requests.js'
import { bind } from './bind.js'
import { type Certificates, type ClientCertificates, createCertificates } from './certificates.js'
import { limitConnections } from './connection-limits.js'
import { connectionName } from './connection-name.js'
import { answerForNode, serverOptions } from './node-decisions.js'
import { oneAtATime } from './one-at-a-time.js'
import { endSilentClients } from './silent-clients.js'

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface ListenerOptions {
  /** JSON Pointer of the setting that says where, for the message when it cannot be had. */
  readonly pointer: string
  readonly address: ListenAddress
  /** One, or several of which the host that is asked for chooses. Default: plain HTTP. */
  readonly tls?: readonly Certificate[] | undefined
  /** For TLS. Default: they are asked for none. */
  readonly clientCertificates?: ClientCertificates | undefined
  readonly onRequest: RequestListener
  readonly onUpgrade?: UpgradeListener | undefined
  readonly limits?: ListenerLimits
  /** Of them many clients may come at once. Default: none are. */
  readonly isTrustedPeer?: IsTrustedPeer
  /** Whether connections of trusted peers begin with a header of the PROXY protocol. Default: `none` do. */
  readonly proxyProtocol?: 'none' | 'v2'
  /** Whether its requests become traces, where there are any. Default: true. */
  readonly isTraced?: boolean
}

/** A server that listens, and stops without losing what is under way. */
export interface Listener {
  /** As it was really bound: `http://127.0.0.1:3000`, or `unix:` and the path. */
  readonly url: string
  /** From now on each answer is the last one of its connection, so that those of a balancer come to an end by themselves. */
  sayGoodbye(): void
  /** Takes no new connections; resolves when every connection has finished, or is broken off after so many seconds. */
  drain(seconds: number): Promise<void>
  /** The next handshake has these certificates; no connection is touched. Without TLS it does nothing. */
  secure(certificates: readonly Certificate[], clients?: ClientCertificates): void
  /** What handshakes have said so far counts no longer: connections end, after their answer where their request has come in full. */
  reconnect(): void
}

/** @throws ConfigurationError when the address cannot be had or the certificate does not work. */
export async function listen({
  pointer,
  address,
  tls,
  clientCertificates,
  onRequest,
  onUpgrade,
  limits = listenerLimitDefaults,
  isTrustedPeer = () => false,
  proxyProtocol = 'none',
  isTraced = true,
}: ListenerOptions): Promise<Listener> {
  let isLeaving = false
  const scheme = tls === undefined ? 'http' : 'https'
  const traced = { scheme, isTrusted: isTrustedPeer }
  const answer = isTraced ? tracedRequests(onRequest, traced) : onRequest
  const upgrade = onUpgrade && tracedUpgrades(onUpgrade, traced)
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    // A kept-alive connection would otherwise bring the next request to a server that is about to go.
    if (isLeaving) response.setHeader('Connection', 'close')
    // Set anew for each: between two of them node:http has it run for as long as a connection is kept.
    request.socket.setTimeout(limits.clientTimeout * 1000)
    answer(request, response)
  }
  const { server, certificates } = serverFor(pointer, { tls, clientCertificates }, limits)
  if (address.path !== undefined && proxyProtocol === 'none')
    server.on('connection', nameThisMachine).on('secureConnection', nameThisMachine)
  const secured = new Set<Socket>()
  if (clientCertificates !== undefined)
    server.on('secureConnection', (socket: Socket) => {
      secured.add(socket)
      socket.once('close', () => secured.delete(socket))
    })
  limitConnections(server, limits, isTrustedPeer)
  const line = oneAtATime(server, serve)
  endSilentClients(server, line)
  answerForNode(server, line)
  passOverOtherUpgrades(server)
  if (upgrade !== undefined)
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // A reset before anybody listens would end the process.
      socket.on('error', () => socket.destroy())
      // Its bytes would come between those of the answer before it.
      if (line.underway(request.socket) !== undefined) socket.destroy()
      else upgrade(request, socket, head)
    })
  if (proxyProtocol === 'v2') {
    const { expectProxyHeaders } = await import('./proxy-protocol.js')
    expectProxyHeaders(server, isTrustedPeer)
    // Its peer has to be known before that of the header.
    if (address.path !== undefined) server.prependListener('connection', nameThisMachine)
  }
  // The server forgets those that were upgraded, and those whose TLS handshake is under way.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const bound = await bind(server, pointer, address)

  return {
    url: bound.startsWith(unixPrefix) ? bound : `${scheme}://${bound}`,

    sayGoodbye() {
      isLeaving = true
    },

    async drain(seconds) {
      isLeaving = true
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const sweep = setInterval(() => server.closeIdleConnections(), 100)
      const limit = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, seconds * 1000)
      await closed
      clearInterval(sweep)
      clearTimeout(limit)
    },

    secure: (next, clients) => certificates?.replace(server as TlsServer, next, clients),

    reconnect() {
      const kept = new Set<string>()
      for (const socket of secured) {
        const { request, response } = line.underway(socket) ?? {}
        if (response === undefined || request?.complete !== true) continue
        kept.add(connectionName(socket))
        if (!response.headersSent) response.setHeader('Connection', 'close')
        response.once('finish', () => socket.destroySoon())
      }
      // Also those on which nothing has come yet, and those whose handshake has begun with what counted then.
      for (const socket of sockets) if (!kept.has(connectionName(socket))) socket.destroy()
    },
  }
}

/** Who connects by a Unix socket has no address, and is on this machine. */
function nameThisMachine(socket: Socket): void {
  Object.defineProperty(socket, 'remoteAddress', { value: '127.0.0.1', configurable: true })
}

function serverFor(
  pointer: string,
  { tls, clientCertificates }: Pick<ListenerOptions, 'tls' | 'clientCertificates'>,
  limits: ListenerLimits,
): { readonly server: Server; readonly certificates?: Certificates } {
  const decisions = serverOptions(limits)
  if (tls === undefined) return { server: createServer(decisions) }
  try {
    const certificates = createCertificates(tls, clientCertificates)
    return { server: createTlsServer({ ...decisions, ...certificates.options }), certificates }
  } catch (cause) {
    throw new ConfigurationError(
      [
        {
          pointer: pointer.replace(/Listen$/, 'Tls'),
          problem: 'is not a certificate with its private key',
          remedy: 'Give PEM files that belong together, the certificate first and then its chain.',
        },
      ],
      { cause },
    )
  }
}
