import { z } from 'zod'
import { tlsOrList } from './server.js'
import { httpUrl, jwk, listenAddress, text } from './values.js'

/** RFC 8705, of the embedded authorization server. */
export const mutualTlsOfServer = z.strictObject({
  Listen: listenAddress.optional().meta({
    description:
      'Host and port of a listener of its own that asks clients for a certificate, so that browsers are not asked elsewhere. It takes connections without one as well. Absent: a proxy of `Server.TrustedProxies` ends TLS and hands the certificate on in `Client-Cert` (RFC 9440).',
    examples: ['0.0.0.0:3443'],
  }),
  Tls: tlsOrList.optional().meta({
    description: 'Certificate of that listener. Default: that of the server, or of `Server`.',
    examples: [{ CertFile: './tls/mtls.pem', KeyFile: './tls/mtls.key' }],
  }),
  Origin: httpUrl.optional().meta({
    description:
      'Where clients with a certificate call: `mtls_endpoint_aliases` of the metadata. Default: the host of `Issuer` with the port of `Listen`; without `Listen`, `Issuer` itself.',
    examples: ['https://mtls.auth.example.com'],
  }),
  CaFile: text.optional().meta({
    description:
      'PEM file with the authorities that issue certificates of clients, for `TlsClientAuth`. Where a proxy hands certificates on, those that issue them themselves: chains are followed on `Listen` only.',
    examples: ['./tls/clients-ca.pem'],
  }),
})

/** Exactly one of them. */
const subject = z.strictObject({
  SubjectDn: text.optional().meta({
    description: 'The whole subject, as RFC 4514 writes it: the last part of the certificate first.',
    examples: ['CN=app.example.com,O=Example Bank,C=DE'],
  }),
  SanDns: text
    .optional()
    .meta({ description: 'A DNS name among the alternative names.', examples: ['app.example.com'] }),
  SanUri: text
    .optional()
    .meta({ description: 'A URI among the alternative names.', examples: ['spiffe://example.com/app'] }),
  SanIp: text.optional().meta({ description: 'An IP address among the alternative names.', examples: ['10.1.2.3'] }),
  SanEmail: text
    .optional()
    .meta({ description: 'An e-mail address among the alternative names.', examples: ['app@example.com'] }),
})

/** How an application is known by its certificate. */
export const certificateOfApplication = {
  TlsClientAuth: subject.optional().meta({
    description:
      'The client authenticates by a certificate that an authority of `MutualTls.CaFile` has issued, and that has exactly this name (RFC 8705 §2.1). Default: where the frontends with this `ClientId` do so, the subject of their `ClientCertificate`.',
    examples: [{ SanDns: 'app.example.com' }],
  }),
  SelfSignedTlsClientAuth: z
    .strictObject({
      Jwks: z
        .array(jwk)
        .default([])
        .meta({
          description:
            'Public keys of its certificates, as `{PublicUrl}{PathPrefix}/bff/jwks` of a gateway has them. One with `x5c` is that certificate, one without is every certificate of this key.',
          examples: [[{ File: './client-certificate-key.json' }]],
        }),
    })
    .optional()
    .meta({
      description:
        'The client authenticates by the key of its certificate, which may have signed itself (RFC 8705 §2.2). Default: where the frontends with this `ClientId` do so, their `ClientCertificate`.',
      examples: [{ Jwks: [{ File: './client-certificate-key.json' }] }],
    }),
  CertificateBoundAccessTokens: z
    .boolean()
    .optional()
    .meta({
      description:
        'Whether its tokens are bound to its certificate instead of a DPoP key (RFC 8705 §3). Default: whether the frontends with this `ClientId` have `SenderConstraint` `Mtls`.',
      examples: [true],
    }),
}
