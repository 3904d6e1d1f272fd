import type { Jwk } from '../../jose/jwk.js'

/** Mutual TLS (RFC 8705): how clients' certificates reach the server. */
export interface MutualTlsOptions {
  /**
   * `handshake`: that of the connection. The listener asks for one and takes connections without: `requestCert: true`,
   * `rejectUnauthorized: false`, and in `ca` the authorities that issue certificates for `tls_client_auth`.
   * `client-cert`: of the field `Client-Cert` (RFC 9440), which `trustedProxies` alone may send.
   */
  readonly certificatesFrom: 'handshake' | 'client-cert'
  /**
   * PEM certificates of the authorities that themselves issue clients' certificates, for `tls_client_auth` and certificates
   * that come in `Client-Cert`. Default: none, so that no certificate is taken there.
   */
  readonly authorities?: string
  /** The origin where clients with a certificate call (`mtls_endpoint_aliases`). Default: that of the issuer. */
  readonly origin?: URL
}

/** How a client authenticates by a certificate. */
export type CertificateAuthentication =
  | {
      /** By a name in a certificate that an authority has issued. @see RFC 8705 §2.1 */
      readonly method: 'tls_client_auth'
      readonly subject: CertificateSubject
    }
  | {
      /** By the key of a certificate that may have signed itself. @see RFC 8705 §2.2 */
      readonly method: 'self_signed_tls_client_auth'
      /** One of them is its key; with `x5c` it is that certificate, and no other of the same key. */
      readonly jwks: readonly Jwk[]
    }

/** The one name that a certificate has to have. @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2 RFC 8705 §2.1.2} */
export interface CertificateSubject {
  /** As registrations call it. */
  readonly name: (typeof certificateSubjects)[number]
  /** A distinguished name as RFC 4514 writes it, or an alternative name as it stands in the certificate. */
  readonly value: string
}

/** As registrations call them. */
export const certificateSubjects = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
] as const
