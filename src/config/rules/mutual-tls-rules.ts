import { certificateFault } from '../../authorization-server/client/certificate-authentication.js'
import { certificateThumbprint } from '../../jose/certificate.js'
import { certificateAuthentication, certificateMethods, certificateOf } from '../resolve/mutual-tls.js'
import { isSecretMethod } from '../schema/client-authentication.js'
import { problem, type Rule } from './rule.js'

/** Mutual TLS (RFC 8705) of the embedded authorization server. */
export const mutualTlsRules: readonly Rule[] = [
  function* certificatesGetHere({ authorizationServer: server, settings }) {
    const mutualTls = server?.mutualTls
    if (server === undefined || mutualTls === undefined) return
    if (mutualTls.listen !== undefined && mutualTls.tls === undefined)
      yield problem(
        `${mutualTls.pointer}/Tls`,
        'is missing, and a certificate is shown over TLS only',
        'Give the certificate of this listener and its key.',
      )
    if (mutualTls.listen === undefined && settings.Server.TrustedProxies.length === 0)
      yield problem(
        `${mutualTls.pointer}/Listen`,
        'is missing, and no proxy is trusted to hand certificates on: none would get here',
        'Write where clients with a certificate connect, as in "0.0.0.0:3443", or name your proxies in Server.TrustedProxies.',
      )
    const byAuthority = server.applications.find(({ certificate: { method } }) => method === 'tls_client_auth')
    if (byAuthority !== undefined && mutualTls.caFile === undefined)
      yield problem(
        `${mutualTls.pointer}/CaFile`,
        `is missing, so that no certificate of ${byAuthority.clientId || byAuthority.pointer} is trusted`,
        'Name the PEM file of the authorities that issue the certificates of clients.',
      )
  },

  function* certificatesNeedMutualTls({ authorizationServer: server }) {
    if (server === undefined || server.mutualTls !== undefined) return
    const remedy = `Write "MutualTls" in ${server.pointer}, or leave it out.`
    const wrong = (pointer: string, written: string) =>
      problem(pointer, `is ${written}, and no certificate gets to the embedded authorization server`, remedy)
    for (const { pointer, settings } of server.applications.flatMap(({ frontends }) => frontends)) {
      const { ClientAuthenticationMethod: method, SenderConstraint } = settings
      if (certificateMethods[method] !== undefined) yield wrong(`${pointer}/ClientAuthenticationMethod`, `"${method}"`)
      if (SenderConstraint === 'Mtls') yield wrong(`${pointer}/SenderConstraint`, '"Mtls"')
    }
    for (const { pointer, settings } of server.applications) {
      for (const member of ['TlsClientAuth', 'SelfSignedTlsClientAuth'] as const)
        if (settings[member] !== undefined) yield wrong(`${pointer}/${member}`, 'there')
      if (settings.CertificateBoundAccessTokens === true) yield wrong(`${pointer}/CertificateBoundAccessTokens`, 'true')
    }
  },

  function* applicationsHaveOneName({ authorizationServer: server }) {
    for (const { pointer, settings, certificate, frontends } of server?.applications ?? []) {
      const { TlsClientAuth, SelfSignedTlsClientAuth } = settings
      if (TlsClientAuth !== undefined && SelfSignedTlsClientAuth !== undefined)
        yield problem(
          `${pointer}/SelfSignedTlsClientAuth`,
          'is there beside TlsClientAuth, and a client is known in one way',
          'Keep one of the two.',
        )
      if (TlsClientAuth !== undefined && certificate.subjects.length !== 1)
        yield problem(
          `${pointer}/TlsClientAuth`,
          'does not have exactly one name (RFC 8705 §2.1.2)',
          'Write one of SubjectDn, SanDns, SanUri, SanIp and SanEmail.',
        )
      else if (certificate.method === 'tls_client_auth' && certificate.subjects.length > 1)
        yield problem(
          `${frontends[1]?.pointer ?? pointer}/ClientCertificate`,
          `has another subject than that of ${frontends[0]?.pointer}, which is the same client`,
          'Give both the same certificate, or a ClientId each.',
        )
      if (SelfSignedTlsClientAuth?.Jwks.length === 0 && certificate.jwks.length === 0)
        yield problem(
          `${pointer}/SelfSignedTlsClientAuth/Jwks`,
          'is missing, and no frontend in this file has this ClientId and a certificate',
          "Write the public keys of the client's certificates.",
        )
    }
  },

  function* frontendsAreWhatIsRegistered({ authorizationServer: server, files, now }) {
    for (const application of server?.applications ?? [])
      for (const frontend of application.frontends) {
        const { ClientAuthenticationMethod: method, SenderConstraint } = frontend.settings
        const registered = application.certificate.method
        if (!isSecretMethod(method) && certificateMethods[method] !== registered)
          yield problem(
            `${frontend.pointer}/ClientAuthenticationMethod`,
            `is "${method}", and ${application.pointer} is known by ${registered ?? 'private_key_jwt'}`,
            'Have both say the same.',
          )
        if ((SenderConstraint === 'Mtls') !== application.certificate.isBound)
          yield problem(
            `${frontend.pointer}/SenderConstraint`,
            `is "${SenderConstraint}", and tokens of ${application.clientId} are bound by ${application.certificate.isBound ? 'certificate' : 'DPoP'}`,
            'Have all that are this client say the same.',
          )
        const certificate = certificateOf(frontend, files)
        const authentication = certificateAuthentication(application.certificate)
        if (certificate === undefined || authentication === undefined) continue
        const shown = { certificate, thumbprint: certificateThumbprint(certificate), isTrusted: true }
        // One that has expired is told of elsewhere, and no reason not to start.
        const at = Math.min(now, Date.parse(certificate.validTo) / 1000)
        const fault = certificateFault(authentication, shown, at)
        if (fault !== undefined)
          yield problem(
            `${frontend.pointer}/ClientCertificate`,
            `is not the one that ${application.pointer} is known by: ${fault}`,
            'Write what is in this certificate there, or leave it out: then it is taken from here.',
          )
      }
  },
]
