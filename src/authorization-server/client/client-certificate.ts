import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { ProtocolError } from '../../errors.js'
import type { IsTrustedPeer } from '../../http/trusted-peers.js'
import { certificateThumbprint } from '../../jose/certificate.js'
import type { MutualTlsOptions } from './certificate-options.js'

/** A certificate whose key its holder has, proved in a handshake with us or with a proxy of ours. */
export interface PresentedCertificate {
  readonly certificate: X509Certificate
  /** `x5t#S256` */
  readonly thumbprint: string
  /** Whether an authority has issued it that we trust with that. */
  readonly isTrusted: boolean
}

/**
 * The certificate that came with a request. Undefined: none.
 * @throws ProtocolError `invalid_request` for a field that cannot be read
 */
export type CertificateOf = (request: IncomingMessage) => PresentedCertificate | undefined

/** @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2 RFC 8705 §2}; absent options: no request has one */
export function createCertificateReader(
  options: MutualTlsOptions | undefined,
  isTrustedPeer: IsTrustedPeer,
  now: () => number,
): CertificateOf {
  if (options === undefined) return () => undefined
  return options.certificatesFrom === 'handshake' ? ofHandshake() : ofField(options, isTrustedPeer, now)
}

function ofHandshake(): CertificateOf {
  const known = new WeakMap<object, PresentedCertificate>()
  return ({ socket }) => {
    const found = known.get(socket)
    if (found !== undefined) return found
    const { getPeerX509Certificate, authorized } = socket as Partial<TLSSocket>
    const certificate = getPeerX509Certificate?.call(socket)
    if (certificate === undefined) return undefined
    const presented = { certificate, thumbprint: certificateThumbprint(certificate), isTrusted: authorized === true }
    known.set(socket, presented)
    return presented
  }
}

/**
 * Of anyone else the field is as good as not there. Chains are not followed, so that no other code than OpenSSL's decides
 * about them: the authorities that issue clients' certificates are named themselves.
 */
function ofField(
  { authorities = '' }: MutualTlsOptions,
  isTrustedPeer: IsTrustedPeer,
  now: () => number,
): CertificateOf {
  const issuers = certificatesIn(authorities)
  return (request) => {
    if (!isTrustedPeer(request.socket.remoteAddress)) return undefined
    const [field, ...more] = request.headersDistinct['client-cert'] ?? []
    if (field === undefined) return undefined
    const certificate = more.length === 0 ? certificateIn(field) : undefined
    if (certificate === undefined)
      throw new ProtocolError('invalid_request', 'the Client-Cert field is not one certificate as RFC 9440 has it')
    const isIssuedBy = (issuer: X509Certificate): boolean =>
      issuer.ca && isCurrent(issuer, now()) && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
    return {
      certificate,
      thumbprint: certificateThumbprint(certificate),
      isTrusted: isForClients(certificate) && issuers.some(isIssuedBy),
    }
  }
}

/** A byte sequence of RFC 8941: base64 between colons. @see {@link https://www.rfc-editor.org/rfc/rfc9440#section-2.1 RFC 9440 §2.1} */
function certificateIn(field: string): X509Certificate | undefined {
  const [, base64] = /^ *:([A-Za-z0-9+/]+={0,2}): *$/.exec(field) ?? []
  if (base64 === undefined) return undefined
  try {
    return new X509Certificate(Buffer.from(base64, 'base64'))
  } catch {
    return undefined
  }
}

/** The certificates of a PEM text. @throws Error for one that cannot be read */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return texts.map((text) => new X509Certificate(text))
}

/** Whether its time has come, and is not over. @param now seconds since the epoch */
export function isCurrent({ validFrom, validTo }: X509Certificate, now: number): boolean {
  return Date.parse(validFrom) <= now * 1000 && now * 1000 <= Date.parse(validTo)
}

/** Extended key usage, where the authority has limited it: client authentication, or any (RFC 5280 §4.2.1.12). */
function isForClients({ keyUsage }: X509Certificate): boolean {
  return keyUsage === undefined || keyUsage.some((usage) => usage === '1.3.6.1.5.5.7.3.2' || usage === '2.5.29.37.0')
}
