import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { selfSignedCertificate } from './_certificate.js'

export interface Listening {
  readonly origin: string
  close(): Promise<void>
}

/** Both kinds of certificate, so that every suite a server lets through has one to go with. */
const [ec, rsa] = [selfSignedCertificate('ec'), selfSignedCertificate('rsa')]

/** For whoever has to trust these servers. */
export const trustedCertificates = [ec.cert, rsa.cert]

/** Where a server is found. Default: any free port of 127.0.0.1. */
export interface Place {
  /** What the others call it. */
  readonly origin: string
  readonly host: string
  readonly port: number
}

/** Listens with TLS and asks for the request listener once the origin is known. */
export async function listenSecurely(
  options: ServerOptions,
  listenerOf: (origin: string) => RequestListener | Promise<RequestListener>,
  place?: Place,
): Promise<Listening> {
  const server = createSecureServer({ ...options, cert: [ec.cert, rsa.cert], key: [ec.key, rsa.key] })
  return listening(server, 'https', listenerOf, place)
}

export async function listenPlainly(
  listenerOf: (origin: string) => RequestListener | Promise<RequestListener>,
): Promise<Listening> {
  return listening(createServer(), 'http', listenerOf)
}

async function listening(
  server: ReturnType<typeof createServer> | ReturnType<typeof createSecureServer>,
  scheme: 'http' | 'https',
  listenerOf: (origin: string) => RequestListener | Promise<RequestListener>,
  place?: Place,
): Promise<Listening> {
  server.listen(place?.port ?? 0, place?.host ?? '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const origin = place?.origin ?? `${scheme}://127.0.0.1:${port}`
  server.on('request', await listenerOf(origin))
  return {
    origin,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
