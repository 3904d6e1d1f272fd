import type { Server } from 'node:https'
import { createSecureContext, type SecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls'
import type { Certificate } from '../config/options/certificates.js'
import { createNameTable, namesOf } from '../http/certificate-names.js'
import { tlsPreset } from '../http/tls.js'

/** The certificates of a listener, of which the host that the browser asks for chooses one. */
export interface Certificates {
  /** For `https.createServer`. */
  readonly options: TlsOptions
  /** The next handshake has the new ones; connections that stand are not touched. @throws for what is no certificate */
  replace(server: Server, certificates: readonly Certificate[], clients: ClientCertificates | undefined): void
}

/** Clients are asked for a certificate. */
export interface ClientCertificates {
  /** PEM certificates of those who issue them. Undefined: none is trusted, though any may be shown. */
  readonly authorities: Buffer | undefined
}

/**
 * @param certificates The first one is for hosts that none of them names, and for clients that name none.
 * @param clients Undefined: they are asked for no certificate.
 */
export function createCertificates(
  certificates: readonly Certificate[],
  clients: ClientCertificates | undefined,
): Certificates {
  let contextFor = contextsOf(certificates, clients)
  return {
    options: {
      ...tlsPreset,
      ...certificates[0],
      ...(clients !== undefined && { requestCert: true, rejectUnauthorized: false, ...trustOf(clients) }),
      SNICallback: (host, done) => done(null, contextFor(host)),
    },
    replace(server, next, nextClients) {
      const contexts = contextsOf(next, nextClients)
      server.setSecureContext({ ...tlsPreset, ...next[0], ...trustOf(nextClients) })
      contextFor = contexts
    },
  }
}

/** Authorities whose certificates are trusted; a client may show any other, or none. Without a list none is: not those that Node.js trusts either. */
function trustOf(clients: ClientCertificates | undefined): SecureContextOptions {
  return clients === undefined ? {} : { ca: clients.authorities ?? [], allowPartialTrustChain: true }
}

/** None is needed where there is but one: what the server was made with is for all. */
function contextsOf(
  certificates: readonly Certificate[],
  clients: ClientCertificates | undefined,
): (host: string) => SecureContext | undefined {
  const entries = certificates.map(
    (certificate) =>
      [namesOf(certificate.cert), createSecureContext({ ...tlsPreset, ...certificate, ...trustOf(clients) })] as const,
  )
  return entries.length > 1 ? createNameTable(entries) : () => undefined
}
