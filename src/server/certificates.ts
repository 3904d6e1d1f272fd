import type { Server } from 'node:https'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import type { Certificate } from '../config/options/certificates.js'
import { createNameTable, namesOf } from '../http/certificate-names.js'
import { tlsPreset } from '../http/tls.js'

/** The certificates of a listener, of which the host that the browser asks for chooses one. */
export interface Certificates {
  /** For `https.createServer`. */
  readonly options: TlsOptions
  /** The next handshake has the new ones; connections that stand are not touched. @throws for what is no certificate */
  replace(server: Server, certificates: readonly Certificate[]): void
}

/** @param certificates The first one is for hosts that none of them names, and for clients that name none. */
export function createCertificates(certificates: readonly Certificate[]): Certificates {
  let contextFor = contextsOf(certificates)
  return {
    options: {
      ...tlsPreset,
      ...certificates[0],
      SNICallback: (host, done) => done(null, contextFor(host)),
    },
    replace(server, next) {
      const contexts = contextsOf(next)
      server.setSecureContext({ ...tlsPreset, ...next[0] })
      contextFor = contexts
    },
  }
}

/** None is needed where there is but one: what the server was made with is for all. */
function contextsOf(certificates: readonly Certificate[]): (host: string) => SecureContext | undefined {
  const entries = certificates.map(
    (certificate) => [namesOf(certificate.cert), createSecureContext({ ...tlsPreset, ...certificate })] as const,
  )
  return entries.length > 1 ? createNameTable(entries) : () => undefined
}
