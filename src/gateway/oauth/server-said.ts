import { connectionCode, UpstreamError } from '../../errors.js'
import type { ServerSaid } from '../../telemetry/gateway-events.js'
import type { Frontend } from '../frontend/frontend.js'
import { keysOf } from './client-authentication.js'
import { subjectOf } from './client-certificate.js'
import { ServerRefusal } from './oauth-error.js'
import { type Registration, remedyFor } from './registration-remedy.js'

/** For the log: what the server said, and what to do about it. Empty for every other error. */
export function serverSaid(error: unknown, frontend: Frontend | undefined): ServerSaid {
  if (error instanceof ServerRefusal) {
    const { error: code, description, status } = error.said
    // Some servers tell only by the status that they did not accept the client.
    const refusal = { code: status === 401 && description === undefined ? 'invalid_client' : code, description }
    return {
      ...(code !== undefined && { serverError: code }),
      ...(description !== undefined && { serverDescription: description }),
      ...(frontend !== undefined && { remedy: remedyFor(refusal, registrationOf(frontend)) }),
    }
  }
  const code = error instanceof UpstreamError && error.code === 'unreachable' ? connectionCode(error.cause) : undefined
  return code === undefined ? {} : { remedy: connectionRemedy(code) }
}

/** What a frontend is to its authorization server. */
export function registrationOf({ options, redirectUri }: Pick<Frontend, 'options' | 'redirectUri'>): Registration {
  const { clientId, scopes, routes, clientAuthentication: authentication, clientCertificate } = options
  const { method } = authentication
  return {
    clientId,
    redirectUri,
    scopes: [...new Set([...scopes, ...routes.flatMap((route) => route.scopes)])],
    resources: [...new Set(routes.flatMap(({ resource }) => (resource === undefined ? [] : [resource])))],
    signedRequests: options.signedRequests === true,
    ...(clientCertificate !== undefined &&
      (method === 'tls_client_auth' || method === 'self_signed_tls_client_auth') && {
        certificate: { method, subject: subjectOf(clientCertificate.cert) },
      }),
    ...('secret' in authentication && { secretMethod: authentication.method }),
    algorithm: keysOf(authentication)[0]?.algorithm,
  }
}

/** What to change when the connection to an authorization server does not come about. @param code of Node.js or OpenSSL */
export function connectionRemedy(code: string): string {
  if (/ALERT_CERTIFICATE_REQUIRED|ALERT_(?:BAD|UNKNOWN|UNSUPPORTED)_C|ALERT_HANDSHAKE/.test(code))
    return 'It does not take our certificate, or wants one: compare ClientCertificate with what it trusts.'
  if (/ALTNAME/.test(code)) return 'Its certificate is for another name: write Authority as the certificate has it.'
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return 'Renew its certificate, or set the clock of this machine.'
  if (/CERT|SELF_SIGNED|UNABLE_TO_|SIGNATURE_FAILURE/.test(code))
    return 'Its certificate is not trusted here: name the file of its authority in AuthorityCaFile.'
  if (/ENOTFOUND|EAI_AGAIN/.test(code))
    return 'Is the host name in Authority right, and known to the DNS of this machine?'
  if (/ECONNREFUSED/.test(code)) return 'Nothing listens there: is the port in Authority right, and is it running?'
  if (/SSL|TLS|EPROTO/.test(code)) return 'It does not speak TLS at this port: is it http, or another port?'
  return 'Is there a firewall in between? Try it from this machine with curl.'
}
