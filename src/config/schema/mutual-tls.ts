import { z } from 'zod'
import { text } from './values.js'

/** RFC 8705, of one frontend. */
export const mutualTls = {
  SenderConstraint: z.enum(['DPoP', 'Mtls']).default('DPoP').meta({
    description:
      'What access tokens are bound to: a key of each session (RFC 9449), or `ClientCertificate` (RFC 8705 §3), which is then shown to APIs as well. `Mtls` counts more than `UseDPoP`.',
  }),
  ClientCertificate: z
    .strictObject({
      CertFile: text.meta({ description: 'PEM file with the certificate and its chain.', examples: ['./tls/app.pem'] }),
      KeyFile: text.meta({ description: "PEM file with the certificate's private key.", examples: ['./tls/app.key'] }),
    })
    .optional()
    .meta({
      description:
        'Shown to the authorization server, at the endpoints that it has for mutual TLS (`mtls_endpoint_aliases`). For `TlsClientAuth`, `SelfSignedTlsClientAuth`, `SenderConstraint` `Mtls`, and servers that take connections with a certificate only. Default: none.',
    }),
}
