import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { Agent } from 'undici'
import type {
  CertificateAuthentication,
  CertificateSubject,
} from '../../src/authorization-server/client/certificate-options.js'
import { type Certificate, selfSigned } from '../http/_self-signed.js'
import { aProtocolClient, type SendOptions } from './_client.js'
import { aClient, type ServerSettings, startServer } from './_running.js'

const serverCertificate = await selfSigned()

export interface MutualTlsServerOptions {
  /** Whose certificates are trusted. PEM. */
  readonly authorities: string
  readonly authentication?: CertificateAuthentication
  readonly isBound?: boolean
  /** What else is registered. A client that has to sign its requests has a key, beside its certificate. */
  readonly client?: Parameters<typeof aClient>[1]
  readonly settings?: ServerSettings
}

/** A server with a listener of its own for mutual TLS, and a client that is known by its certificate. */
export async function aMutualTlsServer(t: ExecutionContext, options: MutualTlsServerOptions) {
  const { authorities, authentication, isBound = false, client: registered, settings } = options
  let answer: RequestListener | undefined
  const tls = createServer(
    {
      ...serverCertificate,
      requestCert: true,
      rejectUnauthorized: false,
      ca: authorities,
      allowPartialTrustChain: true,
    },
    (request, response) => answer?.(request, response),
  ).listen(0, '127.0.0.1')
  await once(tls, 'listening')
  const origin = `https://localhost:${(tls.address() as AddressInfo).port}`
  const client = aClient('client-1', {
    ...(authentication !== undefined && { certificateAuthentication: authentication }),
    ...(authentication !== undefined && registered?.requireSignedRequests !== true && { keys: [] }),
    ...(isBound && { certificateBoundAccessTokens: true }),
    ...registered,
  })
  const server = await startServer({
    client,
    mutualTls: { certificatesFrom: 'handshake', origin: new URL(origin) },
    ...settings,
  })
  answer = server.mutualTlsCallback()
  t.teardown(async () => {
    tls.closeAllConnections()
    tls.close()
    await server.stop()
  })

  const agentOf = (certificate: Certificate | undefined): Agent => {
    const agent = new Agent({ connect: { ca: serverCertificate.cert, ...certificate } })
    t.teardown(() => agent.destroy())
    return agent
  }
  return {
    server,
    origin,
    agentOf,
    /** The client, at the endpoints for mutual TLS, with a certificate of these. */
    as: (certificate: Certificate | undefined, defaults: SendOptions = {}) =>
      aProtocolClient(server, client, {
        at: origin,
        dispatcher: agentOf(certificate),
        ...(authentication !== undefined && { assertion: false }),
        ...(isBound && { proof: false }),
        ...defaults,
      }),
  }
}

export function bySubject(value: string, name: CertificateSubject['name'] = 'tls_client_auth_subject_dn') {
  return { method: 'tls_client_auth', subject: { name, value } } as const
}

export function clientCertField({ cert }: Certificate): string {
  return `:${cert.replaceAll(/-----[A-Z ]+-----|\s/g, '')}:`
}
