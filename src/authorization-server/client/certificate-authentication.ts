import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { unreachable } from '../../errors.js'
import { alternativeNames } from '../../http/certificate-names.js'
import { isDistinguishedName, isSameName, subjectNameOf } from '../../http/distinguished-name.js'
import { importPublicKey, type Jwk, privateMembers } from '../../jose/jwk.js'
import type { CertificateAuthentication, CertificateSubject } from './certificate-options.js'
import { isCurrent, type PresentedCertificate } from './client-certificate.js'

/** Why a certificate does not prove that its holder is the client: for `invalid_client`. Undefined: it does. */
export function certificateFault(
  authentication: CertificateAuthentication,
  presented: PresentedCertificate | undefined,
  now: number,
): string | undefined {
  if (presented === undefined) return 'a client certificate is required'
  const { certificate, isTrusted } = presented
  if (!isCurrent(certificate, now)) return 'the client certificate has expired, or is not valid yet'
  switch (authentication.method) {
    case 'tls_client_auth':
      if (!isTrusted) return 'the client certificate is of no authority that this server trusts'
      return hasName(certificate, authentication.subject) ? undefined : 'the client certificate has another subject'
    case 'self_signed_tls_client_auth':
      return authentication.jwks.some((jwk) => isOf(certificate, jwk))
        ? undefined
        : 'the client certificate is not one of the client'
    default:
      return unreachable(authentication)
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2 RFC 8705 §2.1.2} */
function hasName(certificate: X509Certificate, { name, value }: CertificateSubject): boolean {
  switch (name) {
    case 'tls_client_auth_subject_dn':
      return isSameName(subjectNameOf(certificate), value)
    case 'tls_client_auth_san_dns':
      return alternativeNames(certificate, 'DNS').some((found) => found.toLowerCase() === value.toLowerCase())
    case 'tls_client_auth_san_uri':
      return alternativeNames(certificate, 'URI').includes(value)
    case 'tls_client_auth_san_ip':
      return certificate.checkIP(value) !== undefined
    case 'tls_client_auth_san_email':
      return certificate.checkEmail(value, { subject: 'never' }) !== undefined
    default:
      return unreachable(name)
  }
}

/** @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.2 RFC 8705 §2.2} */
function isOf(certificate: X509Certificate, jwk: Jwk): boolean {
  const [x5c]: readonly unknown[] = Array.isArray(jwk.x5c) ? jwk.x5c : []
  return x5c === undefined
    ? importPublicKey(jwk)?.equals(certificate.publicKey) === true
    : typeof x5c === 'string' && certificate.raw.equals(Buffer.from(x5c, 'base64'))
}

/** What is wrong with a name that a certificate should have, as the end of a sentence. */
export function subjectFault({ name, value }: CertificateSubject): string | undefined {
  switch (name) {
    case 'tls_client_auth_subject_dn':
      return isDistinguishedName(value) ? undefined : 'is not a distinguished name as RFC 4514 writes it'
    case 'tls_client_auth_san_ip':
      return isIP(value) === 0 ? 'is not an IP address' : undefined
    case 'tls_client_auth_san_email':
      return /^[^@\s]+@[^@\s]+$/.test(value) ? undefined : 'is not an e-mail address'
    case 'tls_client_auth_san_dns':
      return /^[\w-]+(?:\.[\w-]+)*$/.test(value) ? undefined : 'is not a host name; a wildcard would be any client'
    case 'tls_client_auth_san_uri':
      return URL.canParse(value) ? undefined : 'is not an absolute URI'
    default:
      return unreachable(name)
  }
}

/** What is wrong with a key that a certificate should have, as the end of a sentence. */
export function certificateJwkFault(jwk: Jwk): string | undefined {
  const secret = privateMembers.find((member) => member in jwk)
  if (secret !== undefined) return `holds the private member "${secret}"`
  return importPublicKey(jwk) === undefined ? 'is not a usable public key' : undefined
}
